package keyfob_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// paper is a set of alice's, and byRecovery is who types in one of a set.
var paper = keyfob.Recovery{Subject: "alice"}

func byRecovery(i keyfob.Issued, n int) keyfob.Attempt {
	return keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: i.Credential.Subject, Secret: i.Secrets[n]}
}

// Ten codes, of which each is accepted once, in any order.
func TestRecoveryLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		i := mustIssue(t, a, paper)
		if len(i.Secrets) != 10 || i.Secret.Reveal() != "" || i.URI.Reveal() != "" || i.Credential.Uses != 10 || !i.Credential.Expires.IsZero() {
			t.Errorf("%d codes, %+v", len(i.Secrets), i.Credential)
		}
		seen := map[string]bool{}
		for used, n := range []int{9, 0, 5, 1, 8, 2, 7, 3, 6, 4} {
			c, err := a.Redeem(t.Context(), byRecovery(i, n))
			if err != nil || c.ID != i.Credential.ID || c.Used != int64(used+1) || len(c.Versions) != 1 ||
				c.Versions[0].Number != int64(n+1) || c.Versions[0].State != keyfob.VersionEnded || seen[c.Versions[0].ID] {
				t.Errorf("code %d: %+v, %v", n, c, err)
			}
			seen[c.Versions[0].ID] = true
			wantAnswer(t, a, byRecovery(i, n), "redeemed")
			clock.Add(5 * time.Minute) // so that a window has room
		}
		if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || c.State != keyfob.StateExhausted || c.Used != 10 {
			t.Errorf("%+v, %v", c, err)
		}
		wantAnswer(t, a, byRecovery(i, 3), "redeemed")
		var versions []string
		for _, e := range events(t, st, "default")[1:] {
			versions = append(versions, e.Type)
			if e.Type == "recovery.redeemed" && !seen[e.Version] {
				t.Errorf("%+v is of no code", e)
			}
		}
		if want := slices.Concat([]string{"recovery.issued"}, slices.Repeat([]string{"recovery.redeemed"}, 10)); !cmp.Equal(versions, want) {
			t.Errorf("events %v", versions)
		}
	})
}

// A new set ends the one before, and only the subject's own.
func TestRecoverySets(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		first, bobs := mustIssue(t, a, paper), mustIssue(t, a, keyfob.Recovery{Subject: "bob"})
		wantAnswer(t, a, byRecovery(first, 0), "ok")
		clock.Add(time.Second)
		second := mustIssue(t, a, paper)
		wantAnswer(t, a, byRecovery(first, 0), "replaced")
		wantAnswer(t, a, byRecovery(first, 1), "replaced")
		wantAnswer(t, a, byRecovery(second, 1), "ok")
		wantAnswer(t, a, byRecovery(bobs, 1), "ok")
		strange := byRecovery(bobs, 2)
		strange.Subject = "alice"
		wantAnswer(t, a, strange, "unknown")
		wantAnswer(t, a.In("keyfob"), byRecovery(second, 2), "unknown")
		clock.Add(time.Hour)
		if _, err := a.Suspend(t.Context(), second.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byRecovery(second, 2), "suspended")
		if err := a.Revoke(t.Context(), second.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byRecovery(second, 2), "revoked")
		third := mustIssue(t, a, paper)
		clock.Add(time.Hour)
		wantAnswer(t, a, byRecovery(second, 2), "revoked")
		clock.Add(time.Hour)
		wantAnswer(t, a, byRecovery(third, 2), "ok")
		if n := live(t, a, keyfob.KindRecovery, "alice"); n != 1 {
			t.Errorf("%d sets are live", n)
		}
	})
}

// P2: of those that race for one code one gets it, and codes that race with one
// another do not take each other's place.
func TestOneRecoveryCodeRedeemed(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 20 {
			i := mustIssue(t, a, paper)
			won := race(t, 64, func() string { return answer(t, a, byRecovery(i, 4)) })
			if won["ok"] != 1 || won["unknown"]+won["undecided"] != 0 {
				t.Fatalf("for one code: %v", won)
			}
			if err := a.Unlock(t.Context(), "alice", ""); err != nil {
				t.Fatal(err)
			}
			turn := make(chan int, 3)
			for _, n := range []int{0, 1, 2} {
				turn <- n
			}
			if won := race(t, 3, func() string { return answer(t, a, byRecovery(i, <-turn)) }); won["ok"] != 3 {
				t.Fatalf("three codes: %v", won)
			}
			if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || c.Used != 4 {
				t.Errorf("%d are used, %v", c.Used, err)
			}
			clock.Add(2 * time.Hour)
		}
	})
}

// P9: by a clock that is behind that of the node where it was redeemed, a code is
// redeemed as well.
func TestRecoveryBehindAnotherClock(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		behind, ahead := newClock(), newClock()
		b := openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: behind.Now})
		a := openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: ahead.Now})
		i := mustIssue(t, b, paper)
		ahead.Add(20 * time.Second)
		wantAnswer(t, a, byRecovery(i, 0), "ok")
		wantAnswer(t, b, byRecovery(i, 0), "redeemed")
		wantAnswer(t, b, byRecovery(i, 1), "ok")
	})
}

// What cannot be a recovery code costs no guess.
func TestRecoverySpelling(t *testing.T) {
	a, _ := open(t, memory.Open())
	i := mustIssue(t, a, paper)
	text := i.Secrets[0].Reveal()
	for what, spelling := range map[string]string{
		"empty": "", "lower case": strings.ToLower(text), "without hyphens": strings.ReplaceAll(text, "-", ""), "spaces": strings.ReplaceAll(text, "-", " "),
		"newline": text + "\n", "cut": text[1:], "full width": "Ａ" + text[1:], "one more": text + "-AAAA", "letter that is none": "I" + text[1:],
	} {
		for range 2 {
			if got := answer(t, a, keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "alice", Secret: keyfob.NewSecret(spelling)}); got != "malformed" {
				t.Errorf("%s: %s", what, got)
			}
		}
	}
	wantAnswer(t, a, byRecovery(i, 0), "ok")
	for field, r := range map[string]keyfob.Recovery{
		"subject": {}, "attributes.a": {Subject: "a", Attributes: map[string]string{"a": "\n"}},
	} {
		_, err := a.Issue(t.Context(), r)
		wantInput(t, fmt.Sprint(r), err, field, "")
	}
}
