package keyfob_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// fuzzAuthority has two spaces with five keys each, and gives the cursors of
// default's lists in the one, two at a time.
func fuzzAuthority(f *testing.F) (a *keyfob.Authority, cursors, eventCursors []string) {
	f.Helper()
	ctx := context.Background()
	rk, err := keyfob.ParseRootKey("keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI=")
	if err != nil {
		f.Fatal(err)
	}
	c := newClock()
	if a, err = keyfob.Open(ctx, keyfob.Config{Store: memory.Open(), RootKey: rk, Now: c.Now}); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { a.Close(ctx) })
	if _, err := a.Spaces().Create(ctx, keyfob.Space{Name: "acme", Prefix: "acme"}); err != nil {
		f.Fatal(err)
	}
	for i := range 10 {
		c.Add(time.Second)
		if _, err := a.In([]string{"default", "acme"}[i%2]).Issue(ctx, keyfob.APIKey{Subject: "alice"}); err != nil {
			f.Fatal(err)
		}
	}
	for filter := (keyfob.Filter{Limit: 2}); ; {
		page, err := a.List(ctx, filter)
		if err != nil {
			f.Fatal(err)
		}
		if filter.After = page.Next; page.Next == "" {
			break
		}
		cursors = append(cursors, page.Next)
	}
	for filter := (keyfob.EventFilter{Limit: 2}); ; {
		page, err := a.Events().List(ctx, filter)
		if err != nil {
			f.Fatal(err)
		}
		if filter.After = page.Next; page.Next == "" {
			break
		}
		eventCursors = append(eventCursors, page.Next)
	}
	return a, cursors, eventCursors
}

// FuzzCursors: a list takes the cursors that it gave and no other text, in its own
// space alone.
func FuzzCursors(f *testing.F) {
	a, cursors, eventCursors := fuzzAuthority(f)
	if len(cursors) != 2 || len(eventCursors) != 2 {
		f.Fatalf("%d and %d cursors", len(cursors), len(eventCursors))
	}
	for _, text := range append(slices.Concat(cursors, eventCursors), "AAAA", "x", "=", cursors[0]+"=", cursors[0]+"\n", cursors[0][1:], eventCursors[0][:20], "AAAAAQ") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return // the first page
		}
		ctx := t.Context()
		check := func(what string, err error, good bool) {
			t.Helper()
			input, ok := errors.AsType[*keyfob.InputError](err)
			if good && err != nil || !good && (!ok || input.Field != "after") {
				t.Errorf("%s after %q: %v", what, text, err)
			}
		}
		_, err := a.List(ctx, keyfob.Filter{After: text})
		check("List", err, slices.Contains(cursors, text))
		_, err = a.Events().List(ctx, keyfob.EventFilter{After: text})
		check("Events.List", err, slices.Contains(eventCursors, text))
		_, err = a.In("acme").List(ctx, keyfob.Filter{After: text})
		check("List of acme", err, false)
		_, err = a.In("acme").Events().List(ctx, keyfob.EventFilter{After: text})
		check("Events.List of acme", err, false)
	})
}

// FuzzVerify: no text is accepted but the token, and none is more than a refusal.
func FuzzVerify(f *testing.F) {
	a, _, _ := fuzzAuthority(f)
	key, err := a.Issue(context.Background(), keyfob.APIKey{Subject: "bob"})
	if err != nil {
		f.Fatal(err)
	}
	tok := key.Secret.Reveal()
	for _, text := range []string{tok, "", tok[1:], tok + "0", "Bearer " + tok, withChecksum(tok[:len(tok)-6]), withChecksum("default_" + tok[8:24] + tok[25:67] + "0"), withChecksum("acme_" + tok[8:67])} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := a.Verify(t.Context(), text, keyfob.Check{})
		if (err == nil) != (text == tok) || err != nil && !errors.Is(err, keyfob.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzParseRootKey: what is read is one spelling, and errors repeat none of it.
func FuzzParseRootKey(f *testing.F) {
	const line = "keyfob-root-1:ykV0YzrSnnBnHFgFpYJHSG3VuTdtW9x3mQX0YcZ3ooI="
	for _, text := range []string{
		line, line + "\n", "\n" + line + "\n\n", line + "\n" + line, line + "\nkeyfob-root-2" + line[13:], line + "\r\n", " " + line,
		"keyfob-root-01" + line[13:], "keyfob-root-0" + line[13:], "keyfob-root--1" + line[13:], line[:len(line)-1], line[:len(line)-2] + "J=", "keyfob-root-1:", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rk, err := keyfob.ParseRootKey(text)
		if (err == nil) == errors.Is(err, keyfob.ErrRootKey) {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if rk.String() != "[REDACTED]" {
			t.Error("it shows the key")
		}
	})
}
