package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

// P6: what a verb changes and the event that tells of it are one change of the
// store, and each verb that changes something has its event.
func TestVerbsWriteTheirEvents(t *testing.T) {
	onEachVerb(t, func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene) {
		s, c := newScene(t), &calls{}
		before := s.snapshot(t)
		if _, err := v.do(context.WithValue(t.Context(), callsKey{}, c), s.a, s); err != nil {
			t.Fatal(err)
		}
		wrote := 0
		for _, change := range c.changes {
			if !needEvents(change.Steps) {
				if len(change.Events) != 0 {
					t.Errorf("events without a change: %v", eventTypes(change.Events))
				}
				continue
			}
			wrote++
			if types := eventTypes(change.Events); len(types) != 1 || types[0] != v.event {
				t.Errorf("the change %T has the events %v, want %q", change.Steps, types, v.event)
			}
		}
		if want := map[bool]int{true: 0, false: 1}[v.event == ""]; wrote != want {
			t.Errorf("%d changes, want %d", wrote, want)
		}
		if changed := s.snapshot(t) != before; changed != (v.event != "") {
			t.Errorf("changed: %v, with the event %q", changed, v.event)
		}
	})
}

// P8: whichever call to the store fails, the verb says that nothing is known, and
// not that something is not so. A change that failed is not there; of one whose
// answer was lost, nobody is told that it did not happen.
func TestVerbsWithFailingStore(t *testing.T) {
	onEachVerb(t, func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene) {
		tried := 0
		for _, late := range []bool{false, true} {
			for fail := 1; ; fail++ {
				s, c := newScene(t), &calls{fail: fail, late: late}
				before := s.snapshot(t)
				_, err := v.do(context.WithValue(t.Context(), callsKey{}, c), s.a, s)
				if c.n < fail {
					if err != nil {
						t.Errorf("without a failure: %v", err)
					}
					break
				}
				tried++
				if !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) || errors.Is(err, keyfob.ErrNotFound) {
					t.Errorf("call %d fails: %v, want ErrUnavailable", fail, err)
				}
				if !late && name != "Purge" && s.snapshot(t) != before { // Purge may have done a part
					t.Errorf("call %d fails, and something changed", fail)
				}
			}
		}
		if tried == 0 {
			t.Error("it asks no store")
		}
	})
}

func TestVerbsAfterClose(t *testing.T) {
	onEachVerb(t, func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene) {
		s := newScene(t)
		if err := s.a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := s.snapshot(t)
		if _, err := v.do(t.Context(), s.a, s); !errors.Is(err, keyfob.ErrUnavailable) {
			t.Errorf("after Close: %v, want ErrUnavailable", err)
		}
		if s.snapshot(t) != before {
			t.Error("after Close it changed something")
		}
	})
}

// P11: no verb sees or changes in one space what is of another, whatever ids and
// tokens it is given, and however well they are known.
func TestVerbsInAnotherSpace(t *testing.T) {
	onEachVerb(t, func(t *testing.T, name string, v verb, newScene func(t *testing.T) *scene) {
		if v.abroad == "" {
			return
		}
		s := newScene(t)
		ctx := t.Context()
		home, abroad := s.a, s.a.In("beta")
		createSpace(t, s.a, "beta", "acme") // with the same prefix
		for _, tok := range []keyfob.Secret{s.key.Secret, s.old} {
			verdict(t, home, tok.Reveal()) // which makes it known
		}
		before := homeOf(t, s)
		byVersion := *s
		byVersion.key.Credential.ID = s.key.Credential.Versions[1].ID
		for _, as := range []*scene{s, &byVersion} {
			got, err := v.do(ctx, abroad, as)
			switch v.abroad {
			case "not found":
				if !errors.Is(err, keyfob.ErrNotFound) || errors.Is(err, keyfob.ErrSpace) {
					t.Errorf("%v, want ErrNotFound", err)
				}
			case "unknown":
				if !errors.Is(err, keyfob.ErrUnknown) {
					t.Errorf("%v, want ErrUnknown", err)
				}
			default:
				if err != nil {
					t.Error(err)
				}
			}
			text := fmt.Sprintf("%+v", got)
			for _, of := range []string{s.key.Credential.ID, s.key.Credential.Versions[0].ID, s.key.Credential.Versions[1].ID, s.made.Credential.ID, "-of-acme"} {
				if of != "" && strings.Contains(text, of) {
					t.Errorf("it shows %s: %s", of, text)
				}
			}
		}
		if after := homeOf(t, s); after != before {
			t.Errorf("it changed the other space from\n%s\nto\n%s", before, after)
		}
	})
}

// homeOf is what there is in the scene's space.
func homeOf(t *testing.T, s *scene) string {
	t.Helper()
	c, err := s.a.Get(t.Context(), id(s))
	if err != nil {
		t.Fatal(err)
	}
	var made keyfob.Credential
	if s.made.Credential.ID != "" {
		if made, err = s.a.Get(t.Context(), s.made.Credential.ID); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%+v\n%+v\n%v\n%s %s", c, made, eventTypes(events(t, s.st, "acme")),
		verdict(t, s.a, s.key.Secret.Reveal()), verdict(t, s.a, s.old.Reveal()))
}

// P11: a cursor of one space's log is of no use in another, nor for another list.
func TestEventCursors(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		createSpace(t, a, "beta", "beta")
		k := issue(t, a, keyfob.APIKey{})
		for range 3 {
			issue(t, a.In("beta"), keyfob.APIKey{})
			issue(t, a, keyfob.APIKey{})
		}
		var got []string
		filter := keyfob.EventFilter{Limit: 2}
		var cursors []string
		for {
			page, err := a.Events().List(t.Context(), filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Items {
				got = append(got, e.ID)
			}
			if page.Next == "" {
				break
			}
			filter.After = page.Next
			cursors = append(cursors, page.Next)
		}
		var want []string
		for _, e := range events(t, st, "default") {
			want = append(want, e.ID)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("page by page %v, want %v", got, want)
		}
		good := cursors[0]
		refused := func(what string, a *keyfob.Authority, f keyfob.EventFilter) {
			t.Helper()
			_, err := a.Events().List(t.Context(), f)
			wantInput(t, what, err, "after", "is not the next of a page of this list")
		}
		refused("in another space", a.In("beta"), keyfob.EventFilter{After: good})
		refused("backwards", a, keyfob.EventFilter{After: good, Newest: true})
		refused("of one type", a, keyfob.EventFilter{After: good, Type: "apikey.issued"})
		refused("of one key", a, keyfob.EventFilter{After: good, Credential: k.Credential.ID})
		for i := range good {
			for _, c := range "A-z" {
				if changed := good[:i] + string(c) + good[i+1:]; changed != good {
					refused("changed", a, keyfob.EventFilter{After: changed})
				}
			}
		}
		for _, bad := range []string{"x", good[1:], good + "A", good + "=", good + "\n", strings.Repeat("A", 1<<20)} {
			refused("malformed", a, keyfob.EventFilter{After: bad})
		}
		if page, err := a.Events().List(t.Context(), keyfob.EventFilter{After: good, Limit: 1}); err != nil || page.Items[0].ID != want[2] {
			t.Errorf("unchanged, with another limit: %v, %v", page, err)
		}
	})
}

// P12: neither rotation nor rollback changes what a key may do, how often, from
// where and for how long.
func TestRotationKeepsPolicy(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		want := issue(t, a, keyfob.APIKey{
			Subject: "alice", Name: "laptop", Scopes: []string{"read", "write"}, NotBefore: clock.Now().Add(-time.Hour),
			Expires: clock.Now().Add(time.Hour), CIDRs: cidrs("192.0.2.0/24"), Uses: 9,
			Limit: keyfob.Limit{Rate: 5, Per: time.Minute, Burst: 7}, Attributes: map[string]string{"team": "blue"},
		}).Credential
		same := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			got, err := a.Get(t.Context(), want.ID)
			ignored := cmpopts.IgnoreFields(keyfob.Credential{}, "Versions", "Revision", "Updated")
			if d := cmp.Diff(want, got, ignored, cmp.Comparer(samePrefix)); err != nil || d != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", what, err, d)
			}
			for _, v := range got.Versions {
				if v.Ends.After(want.Expires) {
					t.Errorf("%s: version %d ends at %v, after its credential", what, v.Number, v.Ends)
				}
			}
		}
		for _, grace := range []time.Duration{24 * time.Hour, 0, time.Minute} {
			clock.Add(2 * time.Minute)
			_, err := a.Rotate(t.Context(), want.ID, grace)
			same(fmt.Sprintf("Rotate with the grace %v", grace), err)
			if grace == 24*time.Hour {
				_, err = a.Rollback(t.Context(), want.ID)
				same("Rollback", err)
			}
		}
	})
}

// P12: a later expiry gives no more time to a version that was replaced, and an
// earlier one takes it away.
func TestExpiryChangedInGrace(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		rotated := func(expires time.Time, to time.Time) (old, newest string) {
			t.Helper()
			k := issue(t, a, keyfob.APIKey{Expires: expires})
			r, err := a.Rotate(t.Context(), k.Credential.ID, 24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			c := r.Credential
			c.Expires = to
			if _, err := a.Update(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			return k.Secret.Reveal(), r.Secret.Reveal()
		}
		now := clock.Now()
		longerOld, longerNew := rotated(now.Add(time.Hour), now.Add(3*time.Hour))
		foreverOld, foreverNew := rotated(now.Add(time.Hour), time.Time{})
		shorterOld, shorterNew := rotated(time.Time{}, now.Add(time.Hour))
		want := func(longOld, longNew, shortOld, shortNew, forever string) {
			t.Helper()
			wantVerdict(t, a, longerOld, longOld)
			wantVerdict(t, a, longerNew, longNew)
			wantVerdict(t, a, shorterOld, shortOld)
			wantVerdict(t, a, shorterNew, shortNew)
			wantVerdict(t, a, foreverOld, forever)
			wantVerdict(t, a, foreverNew, "ok")
		}
		clock.Add(time.Hour - time.Millisecond)
		want("ok", "ok", "ok", "ok", "ok")
		clock.Add(time.Millisecond)
		want("replaced", "ok", "expired", "expired", "replaced")
		clock.Add(2 * time.Hour)
		want("expired", "expired", "expired", "expired", "replaced")
	})
}
