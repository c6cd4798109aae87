package keyfob_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

const period = 30 * time.Second

// byTOTP is who types in the code that an authenticator shows at a time.
func byTOTP(t *testing.T, i keyfob.Issued, at time.Time) keyfob.Attempt {
	t.Helper()
	attempt, err := totpAt(i, at)
	if err != nil {
		t.Fatal(err)
	}
	return attempt
}

func totpAt(i keyfob.Issued, at time.Time) (keyfob.Attempt, error) {
	key, err := otp.ParseURI(i.URI.Reveal())
	if err != nil {
		return keyfob.Attempt{}, err
	}
	totp, err := key.TOTP()
	if err != nil {
		return keyfob.Attempt{}, err
	}
	code, err := totp.Generate(key.Seed, at)
	return keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: i.Credential.Subject, Secret: keyfob.NewSecret(code)}, err
}

// enrol makes a confirmed authenticator, a period ago.
func enrol(t *testing.T, a *keyfob.Authority, clock *clock, request keyfob.Request) keyfob.Issued {
	t.Helper()
	i := mustIssue(t, a, request)
	if _, err := a.Confirm(t.Context(), byTOTP(t, i, clock.Now())); err != nil {
		t.Fatal(err)
	}
	clock.Add(period)
	return i
}

var app = keyfob.TOTP{Subject: "alice", Issuer: "Acme", Account: "alice@example.com", Name: "phone"}

func TestTOTPLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		i := mustIssue(t, a, app)
		key, err := otp.ParseURI(i.URI.Reveal())
		if err != nil || key.Seed.Base32() != i.Secret.Reveal() || key.Seed.Size() != 20 || key.Issuer != "Acme" || key.Account != "alice@example.com" {
			t.Errorf("the URI says %+v, %v", key, err)
		}
		want := keyfob.Credential{
			ID: i.Credential.ID, Space: "default", Kind: keyfob.KindTOTP, Subject: "alice", Name: "phone",
			State: keyfob.StateActive, Revision: 1, Created: clock.Now(), Expires: clock.Now().Add(time.Hour),
			Versions: []keyfob.Version{{ID: i.Credential.Versions[0].ID, Number: 1, State: keyfob.VersionActive, Created: clock.Now()}},
		}
		check := func(what string, got keyfob.Credential, err error) {
			t.Helper()
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", what, err, d)
			}
		}
		check("Issue", i.Credential, nil)
		now := byTOTP(t, i, clock.Now())
		wantAnswer(t, a, now, "unknown") // it is not confirmed
		if got := reasonOf(t, second(a.Confirm(t.Context(), wrong(now)))); got != "unknown" {
			t.Errorf("confirmed with a wrong code: %s", got)
		}
		want.Confirmed, want.Expires, want.Revision, want.Updated = true, time.Time{}, 2, clock.Now()
		c, err := a.Confirm(t.Context(), now)
		check("Confirm", c, err)
		wantAnswer(t, a, now, "redeemed") // the code of Confirm is used
		if got := reasonOf(t, second(a.Confirm(t.Context(), now))); got != "unknown" {
			t.Errorf("confirmed twice: %s", got)
		}
		clock.Add(24 * time.Hour)
		c, err = a.Redeem(t.Context(), byTOTP(t, i, clock.Now()))
		check("Redeem", c, err)
		c, err = a.Get(t.Context(), i.Credential.ID)
		c.Versions[0].FirstUsed, c.Versions[0].LastUsed, c.Versions[0].From = time.Time{}, time.Time{}, nil
		check("Get", c, err)
		if types := eventTypes(events(t, st, "default")); !slices.Equal(types, []string{"space.created", "totp.issued", "totp.confirmed"}) {
			t.Errorf("events %v", types)
		}
	})
}

// The vectors of RFC 6238, appendix B, from the enrolment on. Codes have their last
// six digits.
func TestTOTPVectors(t *testing.T) {
	times := []int64{59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000}
	for algorithm, codes := range map[otp.Algorithm]string{
		otp.SHA1:   "94287082 07081804 14050471 89005924 69279037 65353130",
		otp.SHA256: "46119246 68084774 67062674 91819424 90698825 77737706",
		otp.SHA512: "90693936 25091201 99943326 93441116 38618901 47863826",
	} {
		onEachStore(t, func(t *testing.T, st store.Store) {
			size := map[otp.Algorithm]int{otp.SHA1: 20, otp.SHA256: 32, otp.SHA512: 64}[algorithm]
			seed, err := otp.SeedOf(bytes.Repeat([]byte("1234567890"), 7)[:size])
			if err != nil {
				t.Fatal(err)
			}
			clock := &clock{}
			a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: clock.Now})
			clock.now = time.Unix(0, 0)
			request := keyfob.SeededTOTP{TOTP: app, Seed: seed}
			request.Algorithm = algorithm
			i := mustIssue(t, a, request)
			for n, code := range strings.Fields(codes) {
				clock.now = time.Unix(times[n], 0)
				attempt := keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret(code[2:]), Strict: true}
				verb := a.Redeem
				if n == 0 {
					verb = a.Confirm
				}
				if c, err := verb(t.Context(), attempt); err != nil || c.ID != i.Credential.ID {
					t.Errorf("%v at %d: %v", algorithm, times[n], err)
				}
				wantAnswer(t, a, attempt, "redeemed")
				clock.Add(time.Second)
			}
		})
	}
}

// P2: no time step is accepted twice, nor one before it, whatever the clock does.
func TestTOTPSteps(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := newClock()
		config := keyfob.Config{Store: st, RootKey: parsedKey(t), Now: clock.Now}
		a := openWith(t, config)
		i := enrol(t, a, clock, app)
		clock.Add(10 * period)
		n := clock.Now()
		at := func(steps int) keyfob.Attempt { return byTOTP(t, i, n.Add(time.Duration(steps)*period)) }
		unlock := func() {
			t.Helper()
			if err := a.Unlock(t.Context(), "alice", ""); err != nil {
				t.Fatal(err)
			}
		}
		wantAnswer(t, a, at(-2), "unknown")
		wantAnswer(t, a, at(2), "unknown")
		wantAnswer(t, a, at(-1), "ok")
		wantAnswer(t, a, at(-1), "redeemed")
		wantAnswer(t, a, at(0), "ok")
		wantAnswer(t, a, at(1), "ok")
		wantAnswer(t, a, at(0), "redeemed")
		wantAnswer(t, a, at(-1), "redeemed")
		unlock()
		clock.Add(period)
		wantAnswer(t, a, at(1), "redeemed")
		wantAnswer(t, a, at(2), "ok")

		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Add(-24 * time.Hour)
		b := openWith(t, config)
		wantAnswer(t, b, byTOTP(t, i, clock.Now()), "unknown") // its time does not go back
		wantAnswer(t, b, at(2), "redeemed")
		if _, err := b.AcceptClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, b, byTOTP(t, i, clock.Now()), "redeemed")
	})
}

// Strict accepts the present time step alone.
func TestTOTPStrict(t *testing.T) {
	a, clock := open(t, memory.Open())
	i := enrol(t, a, clock, app)
	clock.Add(10 * period)
	for steps, want := range []string{-1 + 1: "unknown", 0 + 1: "ok", 1 + 1: "unknown"} {
		attempt := byTOTP(t, i, clock.Now().Add(time.Duration(steps-1)*period))
		attempt.Strict = true
		wantAnswer(t, a, attempt, want)
	}
}

// P2: one code, whoever races with it, is accepted once.
func TestOneTOTPRedeemed(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := newClock()
		var nodes []*keyfob.Authority
		for range 2 {
			nodes = append(nodes, openWith(t, keyfob.Config{Store: st, RootKey: parsedKey(t), Now: clock.Now}))
		}
		i := enrol(t, nodes[0], clock, app)
		for range 50 {
			attempt := byTOTP(t, i, clock.Now())
			turn := make(chan *keyfob.Authority, 64)
			for n := range 64 {
				turn <- nodes[n%2]
			}
			won := race(t, 64, func() string { return answer(t, <-turn, attempt) })
			if won["ok"] != 1 || won["ok"]+won["redeemed"]+won["locked"] != 64 {
				t.Fatalf("%v", won)
			}
			if err := nodes[0].Unlock(t.Context(), "alice", ""); err != nil {
				t.Fatal(err)
			}
			clock.Add(period)
		}
	})
}

// P2: a code that two steps share is accepted once, whichever of them it was for.
// With this seed the steps n and n+1 do.
func TestTOTPAdjacentEqualCodes(t *testing.T) {
	const n = 65343997
	seed, err := otp.ParseSeed("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	if err != nil {
		t.Fatal(err)
	}
	for first := -1; first <= 2; first++ {
		for _, strict := range []bool{false, true} {
			at := func(step int) time.Time { return time.Unix((n+int64(step))*30, 0) }
			clock := &clock{now: at(-20)}
			a := openWith(t, keyfob.Config{Store: memory.Open(), RootKey: newRootKey(t), Now: clock.Now})
			i := enrol(t, a, clock, keyfob.SeededTOTP{TOTP: app, Seed: seed})
			code := byTOTP(t, i, at(0))
			if code.Secret.Reveal() != byTOTP(t, i, at(1)).Secret.Reveal() {
				t.Fatal("this test has other codes")
			}
			code.Strict = strict
			clock.now = at(first)
			want := "ok"
			if strict && (first == -1 || first == 2) {
				want = "unknown"
			}
			wantAnswer(t, a, code, want)
			for later := first; want == "ok" && later <= 3; later++ {
				clock.now = at(later)
				code.Strict = false
				if got := answer(t, a, code); got != "redeemed" && (later < 3 || got != "unknown") {
					t.Errorf("first at step n%+d, again at n%+d: %s", first, later, got)
				}
				clock.Add(20 * time.Second) // within the step
				if err := a.Unlock(t.Context(), "alice", ""); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The step 0 is one as any other.
func TestTOTPStepZero(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		clock := &clock{now: time.Unix(0, 0)}
		a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: clock.Now})
		i := mustIssue(t, a, app)
		zero := byTOTP(t, i, clock.Now())
		if c, err := a.Confirm(t.Context(), zero); err != nil || !c.Confirmed {
			t.Fatalf("%+v, %v", c, err)
		}
		wantAnswer(t, a, zero, "redeemed")
		clock.Add(period)
		wantAnswer(t, a, zero, "redeemed")
		wantAnswer(t, a, byTOTP(t, i, clock.Now()), "ok")
		clock.Add(-time.Hour)
		wantAnswer(t, a, zero, "redeemed")
	})
}

// P7: a seed that was pasted into another's row opens nothing, and the subject's
// others work on.
func TestTOTPPastedSeed(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &editedItems{Store: inner}
		a, clock := open(t, st)
		mallory := enrol(t, a, clock, keyfob.TOTP{Subject: "mallory", Account: "mallory"})
		mine := enrol(t, a, clock, app)
		other := enrol(t, a, clock, app)
		theirs, err := inner.Version(t.Context(), spaceID(t, inner, "default"), mallory.Credential.Versions[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		for what, edit := range map[string]func(i *store.Item){
			"the seed":             func(i *store.Item) { i.Versions[0].Sealed = theirs.Version.Sealed },
			"the version":          func(i *store.Item) { i.Versions[0] = theirs.Version },
			"version and id":       func(i *store.Item) { i.Versions[0], i.Credential.ID = theirs.Version, theirs.Credential.ID },
			"no seed":              func(i *store.Item) { i.Versions[0].Sealed = nil },
			"another subject's":    func(i *store.Item) { i.Credential.Subject = "mallory" },
			"another kind of text": func(i *store.Item) { i.Versions[0].Sealed = bytes.Repeat([]byte{1}, 100) },
		} {
			st.edit = func(i *store.Item) {
				if i.Credential.ID == mine.Credential.ID {
					edit(i)
				}
			}
			clock.Add(period)
			for _, i := range []keyfob.Issued{mallory, mine} {
				attempt := byTOTP(t, i, clock.Now())
				attempt.Subject = "alice"
				if got := answer(t, a, attempt); got != "unknown" {
					t.Errorf("%s: %s", what, got)
				}
			}
			if got := answer(t, a, byTOTP(t, other, clock.Now())); got != "ok" {
				t.Errorf("%s: the subject's other one: %s", what, got)
			}
		}
		st.edit = nil
		clock.Add(period)
		wantAnswer(t, a, byTOTP(t, mine, clock.Now()), "ok")
	})
}

// An enrolment ends after an hour, and at once where it is revoked. What is
// suspended or revoked is not accepted.
func TestTOTPEnds(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		early := mustIssue(t, a, app)
		late := mustIssue(t, a, keyfob.TOTP{Subject: "bob", Account: "bob"})
		clock.Add(time.Hour - time.Millisecond)
		if _, err := a.Confirm(t.Context(), byTOTP(t, early, clock.Now())); err != nil {
			t.Error(err)
		}
		clock.Add(time.Millisecond)
		if got := reasonOf(t, second(a.Confirm(t.Context(), byTOTP(t, late, clock.Now())))); got != "unknown" {
			t.Errorf("confirmed after an hour: %s", got)
		}
		clock.Add(24 * time.Hour)
		if _, err := a.Suspend(t.Context(), early.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byTOTP(t, early, clock.Now()), "unknown")
		if _, err := a.Resume(t.Context(), early.Credential.ID); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a.In("keyfob"), byTOTP(t, early, clock.Now()), "unknown")
		wantAnswer(t, a, byTOTP(t, early, clock.Now()), "ok")
		if err := a.Revoke(t.Context(), early.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		clock.Add(period)
		wantAnswer(t, a, byTOTP(t, early, clock.Now()), "unknown")
	})
}

// Of several authenticators each is accepted, and told by its credential.
func TestSeveralTOTPs(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 3 {
			enrol(t, a, clock, app)
		}
		pending := mustIssue(t, a, app)
		for range 3 {
			i := enrol(t, a, clock, app)
			c, err := a.Redeem(t.Context(), byTOTP(t, i, clock.Now()))
			if err != nil || c.ID != i.Credential.ID {
				t.Errorf("%+v, %v", c, err)
			}
		}
		wantAnswer(t, a, byTOTP(t, pending, clock.Now()), "unknown")
		attempt := byTOTP(t, pending, clock.Now())
		for what, text := range map[string]string{
			"space": attempt.Secret.Reveal()[:3] + " " + attempt.Secret.Reveal()[3:], "full width": "０４７３０６", "empty": "", "five": "04730",
			"letters": "ABCDEF", "nine": "047306047",
		} {
			attempt.Secret = keyfob.NewSecret(text)
			if got := answer(t, a, attempt); got != "malformed" {
				t.Errorf("%s: %s", what, got)
			}
		}
		attempt.Secret = keyfob.NewSecret("0" + byTOTP(t, pending, clock.Now()).Secret.Reveal())
		if _, err := a.Confirm(t.Context(), attempt); !errors.Is(err, keyfob.ErrUnknown) {
			t.Errorf("with a zero before it: %v", err)
		}
		if c, err := a.Confirm(t.Context(), byTOTP(t, pending, clock.Now())); err != nil || c.ID != pending.Credential.ID {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestTOTPRefusesBadInput(t *testing.T) {
	a, _ := open(t, memory.Open())
	for field, requests := range map[string][]keyfob.TOTP{
		"subject":      {{Account: "a"}, {Subject: "a\n", Account: "a"}},
		"account":      {{Subject: "a"}, {Subject: "a", Account: "a\n"}},
		"issuer":       {{Subject: "a", Account: "a", Issuer: "a:b"}, {Subject: "a", Account: "a", Issuer: "\n"}},
		"algorithm":    {{Subject: "a", Account: "a", Algorithm: 9}},
		"name":         {{Subject: "a", Account: "a", Name: strings.Repeat("a", 257)}},
		"attributes.a": {{Subject: "a", Account: "a", Attributes: map[string]string{"a": "\n"}}},
	} {
		for _, r := range requests {
			_, err := a.Issue(t.Context(), r)
			wantInput(t, fmt.Sprintf("%+v", r), err, field, "")
		}
	}
}
