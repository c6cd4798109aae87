package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// login is a code of alice's, and byCode is who types it in.
var login = keyfob.Code{Subject: "alice", Purpose: "login"}

func byCode(i keyfob.Issued) keyfob.Attempt {
	return keyfob.Attempt{Kind: keyfob.KindCode, Subject: i.Credential.Subject, Purpose: i.Credential.Purpose, Secret: i.Secret}
}

// wrong is an attempt with another code of the same form.
func wrong(attempt keyfob.Attempt) keyfob.Attempt {
	text := []byte(attempt.Secret.Reveal())
	if text[0]++; text[0] > '9' || text[0] < '2' {
		text[0] = '2'
	}
	attempt.Secret = keyfob.NewSecret(string(text))
	return attempt
}

func TestCodeLife(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		i := mustIssue(t, a, keyfob.Code{Subject: "alice", Purpose: "login", Attributes: map[string]string{"a": "1"}})
		if code := i.Secret.Reveal(); len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Errorf("a code of %d characters", len(code))
		}
		want := keyfob.Credential{
			ID: i.Credential.ID, Space: "default", Kind: keyfob.KindCode, Subject: "alice", Purpose: "login",
			Attributes: map[string]string{"a": "1"}, State: keyfob.StateActive, Revision: 1, Uses: 5,
			Created: clock.Now(), Expires: clock.Now().Add(10 * time.Minute),
			Versions: []keyfob.Version{{ID: i.Credential.Versions[0].ID, Number: 1, State: keyfob.VersionActive, Created: clock.Now()}},
		}
		check := func(what string, got keyfob.Credential, err error) {
			t.Helper()
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("%s: %v, (-want +got):\n%s", what, err, d)
			}
		}
		check("Issue", i.Credential, nil)
		wantAnswer(t, a, wrong(byCode(i)), "unknown")
		clock.Add(time.Second)
		want.State, want.Revision, want.Used, want.Updated, want.Versions[0].State = keyfob.StateRedeemed, 2, 2, clock.Now(), keyfob.VersionEnded
		c, err := a.Redeem(t.Context(), byCode(i))
		check("Redeem", c, err)
		c, err = a.Get(t.Context(), i.Credential.ID)
		check("Get", c, err)
		wantAnswer(t, a, byCode(i), "redeemed")
		if types := eventTypes(events(t, st, "default")); !slices.Equal(types, []string{"space.created", "code.issued", "code.redeemed"}) {
			t.Errorf("events %v", types)
		}
	})
}

func TestCodeEnds(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		createSpace(t, a, "acme", "default")
		of := func(subject string) keyfob.Issued {
			return mustIssue(t, a, keyfob.Code{Subject: subject, Purpose: "login"})
		}
		revoked, suspended, first, expired, last := of("revoked"), of("suspended"), of("replaced"), of("expired"), of("last")
		if err := a.Revoke(t.Context(), revoked.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Suspend(t.Context(), suspended.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, a, byCode(revoked), "revoked")
		wantAnswer(t, a, byCode(suspended), "suspended")
		clock.Add(30 * time.Second)
		newest := of("replaced")
		wantAnswer(t, a, byCode(first), "replaced")
		wantAnswer(t, a, byCode(newest), "ok")
		wantAnswer(t, a, byCode(first), "replaced")
		of("replaced")
		wantAnswer(t, a, byCode(first), "unknown") // the present one and the one before are known
		for _, other := range []keyfob.Attempt{
			{Kind: keyfob.KindCode, Subject: "last", Purpose: "verify-email", Secret: last.Secret},
			{Kind: keyfob.KindCode, Subject: "somebody", Purpose: "login", Secret: last.Secret},
			{Kind: keyfob.KindTOTP, Subject: "last", Secret: last.Secret},
		} {
			wantAnswer(t, a, other, "unknown")
		}
		wantAnswer(t, a.In("acme"), byCode(last), "unknown")
		clock.Add(10*time.Minute - 30*time.Second - time.Millisecond)
		wantAnswer(t, a, byCode(last), "ok")
		clock.Add(time.Millisecond)
		wantAnswer(t, a, byCode(expired), "expired")
	})
}

// P5: the sixth guess at a code is refused, right as it may be; a new code allows
// five again, and its subject no more than before.
func TestSixthGuess(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		i := mustIssue(t, a, login)
		for range 5 {
			wantAnswer(t, a, wrong(byCode(i)), "unknown")
			clock.Add(time.Minute)
		}
		wantAnswer(t, a, byCode(i), "exhausted")
		if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || c.State != keyfob.StateExhausted || c.Used != 5 {
			t.Errorf("%+v, %v", c, err)
		}
		clock.Add(time.Minute)
		next := mustIssue(t, a, login)
		wantAnswer(t, a, byCode(next), "ok")

		fifth := mustIssue(t, a, login)
		for range 4 {
			wantAnswer(t, a, wrong(byCode(fifth)), "unknown")
			clock.Add(time.Minute)
		}
		wantAnswer(t, a, byCode(fifth), "ok")
	})
}

// P2: of those that race with the right code, one gets in.
func TestOneCodeRedeemed(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		for range 50 {
			i := mustIssue(t, a, login)
			won := race(t, 64, func() string { return answer(t, a, byCode(i)) })
			if won["ok"] != 1 || won["unknown"]+won["undecided"] != 0 {
				t.Fatalf("%v", won)
			}
			if err := a.Unlock(t.Context(), "alice", ""); err != nil {
				t.Fatal(err)
			}
			clock.Add(time.Minute)
		}
	})
}

// A code has one spelling. What cannot be one costs no guess.
func TestCodeSpelling(t *testing.T) {
	a, clock := open(t, memory.Open())
	zeros := 0
	for i := range 300 {
		code := mustIssue(t, a, keyfob.Code{Subject: "zero-" + string(rune('a'+i%26)), Purpose: "login"})
		if strings.HasPrefix(code.Secret.Reveal(), "0") {
			zeros++
			short := byCode(code)
			short.Secret = keyfob.NewSecret(strings.TrimLeft(code.Secret.Reveal(), "0"))
			wantAnswer(t, a, short, "malformed")
			wantAnswer(t, a, byCode(code), "ok")
		}
		clock.Add(time.Minute)
	}
	if zeros == 0 {
		t.Error("none of 300 codes begins with 0")
	}
	code := mustIssue(t, a, keyfob.Code{Subject: "alice", Purpose: "login", Format: otp.FormatUnambiguous})
	text := code.Secret.Reveal()
	for what, spelling := range map[string]string{
		"empty": "", "lower case": strings.ToLower("A" + text[1:]), "space": text[:4] + " " + text[4:], "leading space": " " + text,
		"newline": text + "\n", "hyphen": text[:4] + "-" + text[4:], "full width": "０４７３０６", "five": "04730", "eleven digits": "04730604730",
		"a letter that is none of it": "I" + text[1:], "Arabic digits": "٠٤٧٣٠٦", "NUL": text[:7] + "\x00", "sign": "+47306", "long": strings.Repeat("7", 1<<20),
	} {
		attempt := byCode(code)
		attempt.Secret = keyfob.NewSecret(spelling)
		if got := answer(t, a, attempt); got != "malformed" {
			t.Errorf("%s: %s", what, got)
		}
	}
	if c, err := a.Get(t.Context(), code.Credential.ID); err != nil || c.Used != 0 {
		t.Errorf("%d guesses were counted, %v", c.Used, err)
	}
	wantAnswer(t, a, byCode(code), "ok")
}

func TestCodeRefusesBadInput(t *testing.T) {
	a, _ := open(t, memory.Open())
	for what, c := range map[string]struct {
		field   string
		request keyfob.Code
	}{
		"no subject":        {"subject", keyfob.Code{Purpose: "login"}},
		"no purpose":        {"purpose", keyfob.Code{Subject: "alice"}},
		"5 digits":          {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Chars: 5}},
		"11 digits":         {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Chars: 11}},
		"-1 digits":         {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Chars: -1}},
		"5 characters":      {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 5}},
		"17 characters":     {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 17}},
		"a recovery code":   {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Format: otp.FormatRecovery}},
		"no format":         {"chars", keyfob.Code{Subject: "alice", Purpose: "login", Format: 9}},
		"negative ttl":      {"ttl", keyfob.Code{Subject: "alice", Purpose: "login", TTL: -1}},
		"over ten minutes":  {"ttl", keyfob.Code{Subject: "alice", Purpose: "login", TTL: 10*time.Minute + time.Millisecond}},
		"no whole ms":       {"ttl", keyfob.Code{Subject: "alice", Purpose: "login", TTL: time.Microsecond}},
		"a control subject": {"subject", keyfob.Code{Subject: "a\n", Purpose: "login"}},
		"a bad attribute":   {"attributes.a", keyfob.Code{Subject: "alice", Purpose: "login", Attributes: map[string]string{"a": "\n"}}},
	} {
		_, err := a.Issue(t.Context(), c.request)
		wantInput(t, what, err, c.field, "")
	}
	for chars, format := range map[int]otp.Format{10: otp.FormatDigits, 16: otp.FormatUnambiguous} {
		i := mustIssue(t, a, keyfob.Code{Subject: format.String(), Purpose: "login", Format: format, Chars: chars, TTL: time.Second})
		if len(i.Secret.Reveal()) != chars || i.Credential.Expires.Sub(i.Credential.Created) != time.Second {
			t.Errorf("a code of %d characters, %+v", len(i.Secret.Reveal()), i.Credential)
		}
		wantAnswer(t, a, byCode(i), "ok")
	}
}

// interrupted is a store before or after whose next guess that is counted something
// else happens, once. What an Authority writes beside requests is none.
type interrupted struct {
	store.Store
	before, after atomic.Pointer[func()]
}

func (s *interrupted) Apply(ctx context.Context, change store.Change) error {
	counts := slices.ContainsFunc(change.Steps, func(step store.Step) bool {
		_, ok := step.(store.WriteBudget)
		return ok
	})
	if !counts {
		return s.Store.Apply(ctx, change)
	}
	before, after := s.before.Swap(nil), s.after.Swap(nil)
	if before != nil {
		(*before)()
	}
	err := s.Store.Apply(ctx, change)
	if after != nil {
		(*after)()
	}
	return err
}

// P5: who loses the race for a guess has none, and is judged anew.
func TestGuessLostToAnother(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &interrupted{Store: inner}
		a, _ := open(t, st)
		i := mustIssue(t, a, login)
		for range 2 {
			wantAnswer(t, a, wrong(byCode(i)), "unknown")
		}
		other := func() { wantAnswer(t, a, wrong(byCode(i)), "unknown") }
		st.before.Store(&other)
		wantLocked(t, a, byCode(i), time.Second)
		if c, err := a.Get(t.Context(), i.Credential.ID); err != nil || c.Used != 3 {
			t.Errorf("%d guesses were counted, %v", c.Used, err)
		}
	})
}

// P5: a guess that was counted before a code was made is none at that code, right as
// it may be.
func TestCodeMadeAfterTheGuess(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &interrupted{Store: inner}
		a, clock := open(t, st)
		for seed, before := range []bool{false, true} { // whether another was live
			request := keyfob.Code{Subject: fmt.Sprint("before ", before), Purpose: "login"}
			if before {
				mustIssue(t, a, request)
				clock.Add(time.Minute)
			}
			scratch, _ := open(t, memory.Open())
			cryptotest.SetGlobalRandom(t, uint64(seed))
			attempt := byCode(mustIssue(t, scratch, request))
			after := func() {
				cryptotest.SetGlobalRandom(t, uint64(seed)) // which draws the same code
				if i := mustIssue(t, a, request); i.Secret.Reveal() != attempt.Secret.Reveal() {
					t.Fatal("another code was drawn")
				}
			}
			st.after.Store(&after)
			wantAnswer(t, a, attempt, "unknown")
			wantAnswer(t, a, attempt, "ok")
		}
	})
}

// editedItems is a store whose credentials somebody edited by hand.
type editedItems struct {
	store.Store
	edit func(*store.Item)
}

func (e *editedItems) Credentials(ctx context.Context, query store.Query) ([]store.Item, error) {
	items, err := e.Store.Credentials(ctx, query)
	for i := range items {
		if e.edit != nil {
			e.edit(&items[i])
		}
	}
	return items, err
}

// A code that is edited by hand, or whose subject is, matches nothing.
func TestEditedCodes(t *testing.T) {
	onEachStore(t, func(t *testing.T, inner store.Store) {
		st := &editedItems{Store: inner}
		a, _ := open(t, st)
		mine := mustIssue(t, a, login)
		st.edit = func(i *store.Item) { i.Credential.Subject = "mallory" }
		wantAnswer(t, a, byCode(mine), "unknown")
		st.edit = func(i *store.Item) { i.Credential.Purpose = "other" }
		wantAnswer(t, a, byCode(mine), "unknown")
		st.edit = func(i *store.Item) { i.Versions = nil }
		if _, err := a.Redeem(t.Context(), byCode(mine)); err == nil || errors.Is(err, keyfob.ErrInvalid) {
			t.Errorf("without its version: %v", err)
		}
	})
}
