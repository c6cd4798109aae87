package keyfob

import (
	"crypto/hmac"
	"errors"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// P6: each change carries its event, with a MAC over all that the event says.
func TestEventMACs(t *testing.T) {
	st := memory.Open()
	root := newRootKey(map[int][]byte{3: make([]byte, 32)})
	a, err := Open(t.Context(), Config{Store: st, RootKey: root})
	if err != nil {
		t.Fatal(err)
	}
	ctx := WithActor(t.Context(), "admin")
	k, err := a.Issue(ctx, APIKey{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Rotate(ctx, k.Credential.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := a.Revoke(ctx, k.Credential.ID, "leaked"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Spaces().Update(ctx, Space{Name: "default", Prefix: "x", Revision: 1}); err != nil {
		t.Fatal(err)
	}
	space, err := st.Space(ctx, "default")
	if err != nil {
		t.Fatal(err)
	}
	events, err := st.Events(ctx, store.EventQuery{Space: space.ID, Limit: 100})
	if err != nil || len(events) != 5 {
		t.Fatalf("%d events, %v; want 5", len(events), err)
	}
	ids := map[string]bool{}
	for _, e := range events {
		if e.RootKey != 3 || !hmac.Equal(e.MAC, audit.MAC(a.keys.numbers[3].audit, &e)) {
			t.Errorf("event %s: its MAC does not match", e.Type)
		}
		if ids[e.ID] {
			t.Errorf("event %s: its id stands twice", e.Type)
		}
		ids[e.ID] = true
		for field, change := range map[string]func(*store.Event){
			"ID": func(e *store.Event) { e.ID = "0000000000000000" }, "Space": func(e *store.Event) { e.Space += "x" },
			"Time": func(e *store.Event) { e.Time = e.Time.Add(time.Millisecond) }, "Actor": func(e *store.Event) { e.Actor = "mallory" },
			"Type": func(e *store.Event) { e.Type = "apikey.updated" }, "Credential": func(e *store.Event) { e.Credential += "x" },
			"Version": func(e *store.Event) { e.Version += "x" }, "Subject": func(e *store.Event) { e.Subject += "x" },
			"Reason": func(e *store.Event) { e.Reason += "x" }, "RootKey": func(e *store.Event) { e.RootKey++ },
		} {
			changed := e
			change(&changed)
			if hmac.Equal(e.MAC, audit.MAC(a.keys.numbers[3].audit, &changed)) {
				t.Errorf("event %s: a changed %s keeps the MAC", e.Type, field)
			}
		}
	}
}

// Reason and the causes are one table: no cause without a name, none twice.
func TestReasons(t *testing.T) {
	names := map[string]bool{"ok": true, "": true}
	for _, r := range reasons {
		err := &invalid{r.cause}
		if got := Reason(err); got != r.name || names[got] {
			t.Errorf("Reason(%v) = %q", err, got)
		}
		names[r.name] = true
		if !errors.Is(err, ErrInvalid) || !errors.Is(err, r.cause) {
			t.Errorf("%v does not wrap ErrInvalid and its cause", err)
		}
		for _, other := range reasons {
			if other.cause != r.cause && errors.Is(err, other.cause) {
				t.Errorf("%v wraps a second cause, %v", err, other.cause)
			}
		}
	}
	if Reason(ErrUnavailable) != "" || Reason(ErrExpired) != "" || Reason(nil) != "ok" {
		t.Error("Reason gives a name to what is no failed verification")
	}
}
