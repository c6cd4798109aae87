package keyfob_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store/sqlite"
	"github.com/keyfob-dev/keyfob/token"
)

// secretOf is the part of a token that nobody may see.
func secretOf(t *testing.T, tok keyfob.Secret) string {
	t.Helper()
	k, err := token.Parse(tok.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return k.Secret()
}

// plaintextsOf is all of what was issued that nobody may see.
func plaintextsOf(t *testing.T, i keyfob.Issued) (all []string) {
	t.Helper()
	switch i.Credential.Kind {
	case keyfob.KindAPIKey, keyfob.KindLink, keyfob.KindSession:
		return []string{secretOf(t, i.Secret)}
	case keyfob.KindCode:
		return []string{i.Secret.Reveal()}
	case keyfob.KindTOTP:
		seed, err := otp.ParseSeed(i.Secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		return []string{i.Secret.Reveal(), i.URI.Reveal(), string(seed.Bytes())}
	case keyfob.KindRecovery:
		for _, s := range i.Secrets {
			all = append(all, s.Reveal())
		}
	}
	return all
}

// P7: nothing that a verb returns shows a secret when it is printed.
func TestVerbsHideSecrets(t *testing.T) {
	onEachVerb(t, func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene) {
		s := newScene(t)
		got, err := v.do(t.Context(), s.a, s)
		if err != nil {
			t.Fatal(err)
		}
		canaries := []string{secretOf(t, s.key.Secret), secretOf(t, s.old)}
		canaries = append(canaries, plaintextsOf(t, s.made)...)
		if issued, ok := got.(keyfob.Issued); ok {
			canaries = append(canaries, plaintextsOf(t, issued)...)
		}
		checkHidden(t, holders(got), canaries...)
	})
}

// P7: a token that is given in the place of something else is in no error.
func TestErrorsHideSecrets(t *testing.T) {
	s := newScene(t, openSQLite(t))
	a, ctx, tok := s.a, t.Context(), s.key.Secret.Reveal()
	actor := keyfob.WithActor(ctx, tok+"\n")
	for what, err := range map[string]error{
		"Get":                    second(a.Get(ctx, tok)),
		"Rotate":                 second(a.Rotate(ctx, tok, 0)),
		"Rollback":               second(a.Rollback(ctx, tok)),
		"Suspend":                second(a.Suspend(ctx, tok, "")),
		"Resume":                 second(a.Resume(ctx, tok)),
		"Revoke":                 a.Revoke(ctx, tok, ""),
		"Revoke, reason":         a.Revoke(ctx, id(s), tok+"\n"),
		"Suspend, reason":        second(a.Suspend(ctx, id(s), tok+"\n")),
		"Update":                 second(a.Update(ctx, keyfob.Credential{ID: tok})),
		"Update, name":           second(a.Update(ctx, changed(s.key.Credential, func(c *keyfob.Credential) { c.Name = tok + "\n" }))),
		"Purge":                  second(a.Purge(ctx, keyfob.Kind(tok), s.clock.Now())),
		"Verify, cut":            second(a.Verify(ctx, tok[:len(tok)-1], keyfob.Check{})),
		"Verify, abroad":         second(a.In("default").Verify(ctx, tok, keyfob.Check{})),
		"Verify, scope":          second(a.Verify(ctx, tok, keyfob.Check{Scopes: []string{"write"}})),
		"Verify, kind":           second(a.Verify(ctx, tok, keyfob.Check{Kind: keyfob.Kind(tok)})),
		"Judge, scopes":          second(a.Judge(ctx, tok, keyfob.Check{Scopes: []string{tok + " "}})),
		"Issue, subject":         second(a.Issue(ctx, keyfob.APIKey{Subject: tok + "\n"})),
		"Issue, scope":           second(a.Issue(ctx, keyfob.APIKey{Subject: "a", Scopes: []string{tok, tok}})),
		"Issue, attribute":       second(a.Issue(ctx, keyfob.APIKey{Subject: "a", Attributes: map[string]string{tok + "\n": ""}})),
		"Issue, attribute value": second(a.Issue(ctx, keyfob.APIKey{Subject: "a", Attributes: map[string]string{"a": tok + "\n"}})),
		"Issue, actor":           second(a.Issue(actor, keyfob.APIKey{Subject: "a"})),
		"Issue, idempotency key": second(a.Issue(keyfob.WithIdempotencyKey(ctx, tok+" "), keyfob.APIKey{Subject: "a"})),
		"Issue, purpose":         second(a.Issue(ctx, keyfob.Link{Subject: "a", Purpose: tok})),
		"Issue, binding":         second(a.Issue(ctx, keyfob.Link{Subject: "a", Purpose: "a", Binding: tok + "\n"})),
		"Issue, issuer":          second(a.Issue(ctx, keyfob.TOTP{Subject: "a", Account: "a", Issuer: tok + ":"})),
		"Issue, account":         second(a.Issue(ctx, keyfob.TOTP{Subject: "a", Account: tok + "\n"})),
		"Redeem, kind":           second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.Kind(tok), Subject: tok, Secret: s.key.Secret})),
		"Redeem, subject":        second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: tok + "\n", Secret: s.key.Secret})),
		"Redeem, purpose":        second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: tok, Secret: s.key.Secret})),
		"Redeem, binding":        second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "a", Binding: tok + "\n", Secret: s.key.Secret})),
		"Redeem, key":            second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "a", Secret: s.key.Secret})),
		"Redeem, code":           second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindCode, Subject: tok, Purpose: "a", Secret: s.key.Secret})),
		"Redeem, recovery":       second(a.Redeem(ctx, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: tok, Secret: s.key.Secret})),
		"Inspect":                second(a.Inspect(ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: tok, Secret: s.key.Secret})),
		"Confirm":                second(a.Confirm(ctx, keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: tok, Secret: s.key.Secret})),
		"Issue, from":            second(a.Issue(ctx, keyfob.Session{Subject: "a", From: tok})),
		"Issue, session":         second(a.Issue(ctx, keyfob.Session{Subject: tok + "\n"})),
		"Issue, of a session":    second(a.Issue(ctx, keyfob.Session{Attributes: map[string]string{"a": tok + "\n"}})),
		"Renew":                  second(a.Renew(ctx, tok)),
		"Renew, key":             second(a.Renew(ctx, id(s))),
		"RevokeSubject":          a.RevokeSubject(ctx, tok+"\n", "", keyfob.KindSession),
		"RevokeSubject, reason":  a.RevokeSubject(ctx, "a", tok+"\n", keyfob.KindSession),
		"RevokeSubject, kind":    a.RevokeSubject(ctx, "a", "", keyfob.Kind(tok)),
		"Unlock":                 a.Unlock(ctx, tok+"\n", ""),
		"Unlock, reason":         a.Unlock(ctx, "a", tok+"\n"),
		"List, purpose":          second(a.List(ctx, keyfob.Filter{Purpose: tok})),
		"List, cursor":           second(a.List(ctx, keyfob.Filter{After: tok})),
		"List, subject":          second(a.List(ctx, keyfob.Filter{Subject: tok + "\n"})),
		"List, name":             second(a.List(ctx, keyfob.Filter{NameContains: tok + "\n"})),
		"List, scope":            second(a.List(ctx, keyfob.Filter{Scope: tok + " "})),
		"List, state":            second(a.List(ctx, keyfob.Filter{States: []keyfob.State{keyfob.State(tok)}})),
		"List, kind":             second(a.List(ctx, keyfob.Filter{Kind: keyfob.Kind(tok)})),
		"Events, cursor":         second(a.Events().List(ctx, keyfob.EventFilter{After: tok})),
		"Events, credential":     second(a.Events().List(ctx, keyfob.EventFilter{Credential: tok})),
		"Events, type":           second(a.Events().List(ctx, keyfob.EventFilter{Type: tok + "\n"})),
		"Events, checkpoint":     second(a.Events().Verify(ctx, keyfob.Checkpoint{Space: tok, SpaceID: tok})),
		"In":                     second(a.In(tok).Get(ctx, id(s))),
		"Spaces.Get":             second(a.Spaces().Get(ctx, tok)),
		"Spaces.Create":          second(a.Spaces().Create(ctx, keyfob.Space{Name: tok, Prefix: "a"})),
		"Spaces.Create, prefix":  second(a.Spaces().Create(ctx, keyfob.Space{Name: "a", Prefix: tok})),
		"Spaces.Update":          second(a.Spaces().Update(ctx, keyfob.Space{Name: tok, Prefix: "a"})),
		"Spaces.Update, prefix":  second(a.Spaces().Update(ctx, keyfob.Space{Name: "acme", Prefix: tok})),
		"CheckScope":             keyfob.CheckScope(tok + " "),
		"CheckIdempotencyKey":    keyfob.CheckIdempotencyKey(tok + " "),
		"ParseCIDR":              second(keyfob.ParseCIDR(tok)),
		"ParseRootKey":           second(keyfob.ParseRootKey(tok)),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		if text := fmt.Sprintf("%v %+v %#v %q", err, err, err, errors.Unwrap(err)); strings.Contains(text, secretOf(t, s.key.Secret)) {
			t.Errorf("%s: the error shows the token: %v", what, err)
		}
	}
}

func changed(c keyfob.Credential, change func(c *keyfob.Credential)) keyfob.Credential {
	change(&c)
	return c
}

// P7: after all verbs, an idempotency key among them, the files of the database
// hold no secret, and nothing of the root key.
func TestDatabaseHoldsNoPlaintext(t *testing.T) {
	dir := t.TempDir()
	st, err := sqlite.Open(filepath.Join(dir, "keyfob.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	keyFile := filepath.Join(t.TempDir(), "root.key")
	rk, err := keyfob.CreateRootKey(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	clock := newClock()
	a := openWith(t, keyfob.Config{Store: st, RootKey: rk, Now: clock.Now})
	createSpace(t, a, "acme", "acme")

	const once = "idempotency-key-canary"
	_, encoded, _ := strings.Cut(strings.TrimSpace(readFile(t, keyFile)), ":")
	canaries := []string{once, encoded, string(decode64(t, encoded))}
	see := func(k keyfob.Issued, err error) keyfob.Issued {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		canaries = append(canaries, plaintextsOf(t, k)...)
		return k
	}
	ctx := keyfob.WithIdempotencyKey(t.Context(), once)
	first := see(a.Issue(ctx, keyfob.APIKey{Subject: "is-in-the-database"}))
	next := see(a.Rotate(ctx, first.Credential.ID, time.Hour))
	for _, name := range []string{"Verify", "Suspend", "Resume", "Update", "Rollback", "Rotate", "Revoke"} {
		s := &scene{a: a, clock: clock, st: st, key: next, old: first.Secret}
		if name == "Update" {
			if s.key.Credential, err = a.Get(ctx, next.Credential.ID); err != nil {
				t.Fatal(err)
			}
		}
		got, err := verbs[name].do(t.Context(), a, s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if k, ok := got.(keyfob.Issued); ok {
			see(k, nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		if verb, kind, _ := strings.Cut(name, ", "); kind == "" && !slices.Contains([]string{"Inspect", "Confirm", "Unlock", "Renew", "RevokeSubject"}, verb) {
			continue
		}
		s := &scene{a: a.In("acme"), clock: clock, st: st}
		clock.Add(time.Hour)
		if verbs[name].prepare != nil {
			if err := verbs[name].prepare(ctx, s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			canaries = append(canaries, plaintextsOf(t, s.made)...)
		}
		got, err := verbs[name].do(ctx, s.a, s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if k, ok := got.(keyfob.Issued); ok {
			see(k, nil)
		}
	}
	if len(canaries) < 40 {
		t.Errorf("%d canaries; there are more", len(canaries))
	}
	if err := a.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	search := func(when string) {
		t.Helper()
		var all strings.Builder
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all.WriteString(readFile(t, filepath.Join(dir, f.Name())))
		}
		if !strings.Contains(all.String(), "is-in-the-database") {
			t.Fatalf("%s: what should be in the database was not found in its %d files", when, len(files))
		}
		for _, c := range canaries {
			for _, spelling := range []string{c, hex.EncodeToString([]byte(c)), base64.RawStdEncoding.EncodeToString([]byte(c))} {
				if strings.Contains(all.String(), spelling) {
					t.Errorf("%s: the database holds %q", when, spelling)
				}
			}
		}
	}
	search("open")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}
