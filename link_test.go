package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// mustIssue issues what is no API key.
func mustIssue(t *testing.T, a *keyfob.Authority, request keyfob.Request) keyfob.Issued {
	t.Helper()
	i, err := a.Issue(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// answer is what Redeem says of an attempt, in one word, as verdict does.
func answer(t *testing.T, a *keyfob.Authority, attempt keyfob.Attempt) string {
	t.Helper()
	return reasonOf(t, second(a.Redeem(t.Context(), attempt)))
}

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	if err != nil && !errors.Is(err, keyfob.ErrInvalid) {
		t.Logf("undecided: %v", err)
		return "undecided"
	}
	return keyfob.Reason(err)
}

func wantAnswer(t *testing.T, a *keyfob.Authority, attempt keyfob.Attempt, want string) {
	t.Helper()
	if got := answer(t, a, attempt); got != want {
		t.Errorf("Redeem says %q, want %q", got, want)
	}
}

// reset is a link of alice's, and byLink is who follows it.
var reset = keyfob.Link{Subject: "alice", Purpose: "password-reset"}

func byLink(i keyfob.Issued) keyfob.Attempt {
	return keyfob.Attempt{Kind: keyfob.KindLink, Purpose: i.Credential.Purpose, Secret: i.Secret}
}

func TestLinkLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		l, err := a.Issue(t.Context(), keyfob.Link{
			Subject: "alice", Purpose: "password-reset", TTL: 15 * time.Minute, Binding: "browser", Attributes: map[string]string{"a": "1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := keyfob.Credential{
			ID: l.Credential.ID, Space: "default", Kind: keyfob.KindLink, Subject: "alice", Purpose: "password-reset",
			Attributes: map[string]string{"a": "1"}, State: keyfob.StateActive, Revision: 1,
			Created: clock.Now(), Expires: clock.Now().Add(15 * time.Minute),
			Versions: []keyfob.Version{{
				ID: l.Credential.Versions[0].ID, Number: 1, Prefix: "default", State: keyfob.VersionActive, Created: clock.Now(),
			}},
		}
		check := func(what string, got keyfob.Credential, err error) {
			t.Helper()
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", what, err, d)
			}
		}
		check("Issue", l.Credential, nil)
		attempt := byLink(l)
		attempt.Binding = "browser"
		for range 100 {
			c, err := a.Inspect(t.Context(), attempt)
			check("Inspect", c, err)
		}
		clock.Add(time.Minute)
		want.State, want.Revision, want.Updated, want.Versions[0].State = keyfob.StateRedeemed, 2, clock.Now(), keyfob.VersionEnded
		c, err := a.Redeem(t.Context(), attempt)
		check("Redeem", c, err)
		c, err = a.Get(t.Context(), l.Credential.ID)
		check("Get", c, err)
		wantAnswer(t, a, attempt, "redeemed")
		if _, err := a.Inspect(t.Context(), attempt); !errors.Is(err, keyfob.ErrRedeemed) {
			t.Errorf("Inspect of a redeemed link: %v", err)
		}
		if types := eventTypes(events(t, st, "default")); !slices.Equal(types, []string{"space.created", "link.issued", "link.redeemed"}) {
			t.Errorf("events %v", types)
		}
	})
}

// P2: of those that race for a link, one gets it.
func TestOneRedemption(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		const rounds, racers = 200, 64
		for range rounds {
			attempt := byLink(mustIssue(t, a, reset))
			if won := race(t, racers, func() string { return answer(t, a, attempt) }); won["ok"] != 1 || won["redeemed"] != racers-1 {
				t.Fatalf("of %d racers: %v", racers, won)
			}
		}
		t.Logf("%d rounds of %d racers: one winner each", rounds, racers)
	})
}

// race does something n times at once and counts what comes of it.
func race(t *testing.T, n int, do func() string) map[string]int {
	t.Helper()
	var mu sync.Mutex
	got := map[string]int{}
	var group sync.WaitGroup
	start := make(chan struct{})
	for range n {
		group.Go(func() {
			<-start
			reason := do()
			mu.Lock()
			defer mu.Unlock()
			got[reason]++
		})
	}
	close(start)
	group.Wait()
	return got
}

func TestLinkIsBound(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		bound, free := mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login", Binding: "one"}), mustIssue(t, a, reset)
		for _, c := range []struct {
			link             keyfob.Issued
			purpose, binding string
			want             string
		}{
			{free, "verify-email", "", "purpose"},
			{free, "password-rese", "", "purpose"},
			{free, "password-reset", "one", "binding"},
			{bound, "login", "", "binding"},
			{bound, "login", "two", "binding"},
			{bound, "login", "One", "binding"},
			{bound, "password-reset", "one", "purpose"},
			{bound, "password-reset", "two", "purpose"},
		} {
			attempt := keyfob.Attempt{Kind: keyfob.KindLink, Purpose: c.purpose, Binding: c.binding, Secret: c.link.Secret}
			wantAnswer(t, a, attempt, c.want)
			found, err := a.Inspect(t.Context(), attempt)
			if got := reasonOf(t, err); got != c.want || (found.ID != "") != (c.want == "binding") {
				t.Errorf("Inspect for %s and %q: %s, and the credential %q", c.purpose, c.binding, got, found.ID)
			}
			if got, err := a.Redeem(t.Context(), attempt); err == nil || got.ID != "" {
				t.Errorf("Redeem for %s and %q shows %q, %v", c.purpose, c.binding, got.ID, err)
			}
		}
		wantAnswer(t, a, byLink(free), "ok")
		wantAnswer(t, a, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Binding: "one", Secret: bound.Secret}, "ok")
	})
}

// A row that somebody edited by hand matches no secret.
func TestEditedLinks(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &edited{Store: inner, edit: func(*store.Found) {}}
		a, _ := open(t, st)
		createSpace(t, a, "acme", "acme")
		acme := spaceID(t, inner, "acme")
		l := mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login", Binding: "one"})
		other := mustIssue(t, a, reset)
		for what, edit := range map[string]func(*store.Found){
			"subject": func(f *store.Found) { f.Credential.Subject = "mallory" },
			"purpose": func(f *store.Found) { f.Credential.Purpose = "password-reset" },
			"binding": func(f *store.Found) { f.Credential.Binding = "" },
			"space":   func(f *store.Found) { f.Credential.Space, f.Version.Space = acme, acme },
			"kind":    func(f *store.Found) { f.Credential.Kind = keyfob.KindAPIKey },
			"id":      func(f *store.Found) { f.Credential.ID = other.Credential.ID },
			"version": func(f *store.Found) { f.Version.ID = other.Credential.Versions[0].ID },
			"digest":  func(f *store.Found) { f.Version.Digest = nil },
		} {
			st.edit = edit
			for _, purpose := range []string{"login", "password-reset"} {
				for _, binding := range []string{"", "one"} {
					attempt := keyfob.Attempt{Kind: keyfob.KindLink, Purpose: purpose, Binding: binding, Secret: l.Secret}
					if got := answer(t, a, attempt); got != "unknown" {
						t.Errorf("%s edited: %s", what, got)
					}
					if c, err := a.Inspect(t.Context(), attempt); !errors.Is(err, keyfob.ErrUnknown) || c.ID != "" {
						t.Errorf("%s edited: Inspect: %v", what, err)
					}
				}
			}
			wantVerdict(t, a, l.Secret.Reveal(), "unknown")
		}
		st.edit = func(*store.Found) {}
		wantAnswer(t, a, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Binding: "one", Secret: l.Secret}, "ok")
	})
}

// A link ends as everything does, and what is none is not taken for one.
func TestLinkEnds(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "default") // with the same prefix
		l := mustIssue(t, a, keyfob.Link{Subject: "alice", Purpose: "login", TTL: time.Minute})
		revoked, suspended := mustIssue(t, a, reset), mustIssue(t, a, keyfob.Link{Subject: "bob", Purpose: "login"})
		if err := a.Revoke(t.Context(), revoked.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Suspend(t.Context(), suspended.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byLink(revoked), "revoked")
		wantAnswer(t, a, byLink(suspended), "suspended")
		wantAnswer(t, a.In("acme"), byLink(l), "unknown")
		if _, err := a.In("acme").Inspect(t.Context(), byLink(l)); !errors.Is(err, keyfob.ErrUnknown) {
			t.Errorf("Inspect in another space: %v", err)
		}
		clock.Add(time.Minute - time.Millisecond)
		if _, err := a.Inspect(t.Context(), byLink(l)); err != nil {
			t.Errorf("a millisecond before its end: %v", err)
		}
		clock.Add(time.Millisecond)
		wantAnswer(t, a, byLink(l), "expired")
		clock.Add(-time.Hour) // a clock that goes back revives nothing
		wantAnswer(t, a, byLink(l), "expired")
		if _, err := a.Resume(t.Context(), suspended.Credential.ID); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byLink(suspended), "ok")

		last := mustIssue(t, a, reset)
		key := issue(t, a, keyfob.APIKey{})
		wantVerdict(t, a, last.Secret.Reveal(), "unknown")
		wantAnswer(t, a, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Secret: key.Secret}, "unknown")
		for what, text := range map[string]string{
			"empty": "", "cut": last.Secret.Reveal()[1:], "space": last.Secret.Reveal() + " ", "a code": "047306",
		} {
			if got := answer(t, a, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "password-reset", Secret: keyfob.NewSecret(text)}); got != "malformed" {
				t.Errorf("%s: %s", what, got)
			}
		}
		wantAnswer(t, a, byLink(last), "ok")
		wantVerdict(t, a, key.Secret.Reveal(), "ok")
	})
}

func TestLinkRefusesBadInput(t *testing.T) {
	a, _ := open(t, memory.Open())
	refuse := func(what, field string, request keyfob.Request) {
		t.Helper()
		_, err := a.Issue(t.Context(), request)
		wantInput(t, what, err, field, "")
	}
	with := func(change func(l *keyfob.Link)) keyfob.Link {
		l := reset
		change(&l)
		return l
	}
	for _, ttl := range []time.Duration{-1, -time.Hour, time.Microsecond, 30*24*time.Hour + time.Millisecond, 1<<63 - 1} {
		refuse(ttl.String(), "ttl", with(func(l *keyfob.Link) { l.TTL = ttl }))
	}
	for _, ttl := range []time.Duration{0, time.Millisecond, 30 * 24 * time.Hour} {
		l := mustIssue(t, a, with(func(l *keyfob.Link) { l.TTL = ttl }))
		if lives := l.Credential.Expires.Sub(l.Credential.Created); lives != max(ttl, time.Hour) && lives != ttl {
			t.Errorf("with %v it lives %v", ttl, lives)
		}
	}
	for _, pause := range []time.Duration{-1, -time.Hour, 24*time.Hour + 1, 1<<63 - 1, -1 << 63} {
		refuse("a pause of "+pause.String(), "pause", with(func(l *keyfob.Link) { l.Pause = pause }))
	}
	for i, pause := range []time.Duration{0, 1, 24 * time.Hour} {
		mustIssue(t, a, with(func(l *keyfob.Link) { l.Purpose, l.Pause = fmt.Sprint("pause-", i), pause }))
	}
	for _, purpose := range []string{"", " ", "a b", "A", "é", "a/b", "a\n", strings.Repeat("a", 65)} {
		refuse("the purpose "+purpose, "purpose", with(func(l *keyfob.Link) { l.Purpose = purpose }))
		_, err := a.Redeem(t.Context(), keyfob.Attempt{Kind: keyfob.KindLink, Purpose: purpose, Secret: keyfob.NewSecret("x")})
		wantInput(t, "Redeem for "+purpose, err, "purpose", "")
	}
	mustIssue(t, a, with(func(l *keyfob.Link) { l.Purpose, l.Binding = strings.Repeat("a", 64), strings.Repeat("b", 256) }))
	refuse("no subject", "subject", keyfob.Link{Purpose: "login"})
	refuse("a long binding", "binding", with(func(l *keyfob.Link) { l.Binding = strings.Repeat("b", 257) }))
	for what, text := range badTexts {
		refuse(what, "subject", with(func(l *keyfob.Link) { l.Subject = text }))
		refuse(what, "binding", with(func(l *keyfob.Link) { l.Binding = text }))
		refuse(what, "attributes.a", with(func(l *keyfob.Link) { l.Attributes = map[string]string{"a": text} }))
	}
}

// What does not belong to a kind is told, and not passed over.
func TestAttemptRefusesBadInput(t *testing.T) {
	a, _ := open(t, memory.Open())
	code := keyfob.NewSecret("047306")
	for field, attempts := range map[string][]keyfob.Attempt{
		"subject": {
			{Kind: keyfob.KindLink, Subject: "alice", Purpose: "login", Secret: code},
			{Kind: keyfob.KindCode, Purpose: "login", Secret: code}, {Kind: keyfob.KindTOTP, Secret: code}, {Kind: keyfob.KindRecovery, Secret: code},
			{Kind: keyfob.KindTOTP, Subject: "a\n", Secret: code}, {Kind: keyfob.KindTOTP, Subject: strings.Repeat("a", 257), Secret: code},
		},
		"purpose": {
			{Kind: keyfob.KindLink, Secret: code}, {Kind: keyfob.KindCode, Subject: "alice", Secret: code},
			{Kind: keyfob.KindTOTP, Subject: "alice", Purpose: "login", Secret: code}, {Kind: keyfob.KindRecovery, Subject: "alice", Purpose: "login", Secret: code},
		},
		"binding": {
			{Kind: keyfob.KindCode, Subject: "alice", Purpose: "login", Binding: "b", Secret: code},
			{Kind: keyfob.KindLink, Purpose: "login", Binding: "b\n", Secret: code},
		},
		"strict": {{Kind: keyfob.KindCode, Subject: "alice", Purpose: "login", Strict: true, Secret: code}},
		"kind":   {{Kind: keyfob.KindAPIKey, Subject: "alice", Secret: code}, {Kind: "session", Subject: "alice", Secret: code}, {Subject: "alice", Secret: code}},
	} {
		for _, attempt := range attempts {
			_, err := a.Redeem(t.Context(), attempt)
			wantInput(t, fmt.Sprintf("%+v", attempt), err, field, "")
		}
	}
	for _, kind := range []keyfob.Kind{"", keyfob.KindAPIKey, keyfob.KindCode, keyfob.KindTOTP, keyfob.KindRecovery} {
		_, err := a.Inspect(t.Context(), keyfob.Attempt{Kind: kind, Subject: "alice", Secret: code})
		wantInput(t, "Inspect of "+string(kind), err, "kind", "")
		if kind != keyfob.KindTOTP {
			_, err = a.Confirm(t.Context(), keyfob.Attempt{Kind: kind, Subject: "alice", Secret: code})
			wantInput(t, "Confirm of "+string(kind), err, "kind", "")
		}
	}
	if _, err := a.In("nowhere").Redeem(t.Context(), keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: code}); !errors.Is(err, keyfob.ErrSpace) {
		t.Errorf("in no space: %v", err)
	}
}

// A revocation that was acknowledged is not overtaken by a redemption.
func TestRedeemAgainstRevoke(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		for range 100 {
			l := mustIssue(t, a, reset)
			var revoked atomic.Bool
			var group sync.WaitGroup
			group.Go(func() {
				if err := a.Revoke(context.Background(), l.Credential.ID, ""); err != nil {
					t.Error(err)
				}
				revoked.Store(true)
			})
			for range 4 {
				group.Go(func() {
					late := revoked.Load()
					got := answer(t, a, byLink(l))
					if late && got != "revoked" && got != "redeemed" || got != "ok" && got != "revoked" && got != "redeemed" {
						t.Errorf("late: %v, %s", late, got)
					}
				})
			}
			group.Wait()
		}
	})
}
