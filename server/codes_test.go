package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
)

// login is what codes are for here.
func login(subject string) fields { return fields{"subject": subject, "purpose": "login"} }

// code is the body that redeems what was issued.
func code(made *answer) fields {
	c := made.credential()
	return fields{"subject": c["subject"], "purpose": c["purpose"], "code": made.json["code"]}
}

// wrong is another code of the same form.
func wrong(body fields) fields {
	b := []byte(body["code"].(string))
	if b[0]++; b[0] > '9' && b[0] < 'A' || b[0] > 'Z' {
		b[0] = '2'
	}
	return with(body, fields{"code": string(b)})
}

// TestCode is the life of codes: one of a subject and purpose, in one spelling.
func TestCode(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		made := e.make("codes", login("alice"))
		c := made.credential()
		if c["kind"] != "code" || c["purpose"] != "login" || c["uses"] != 5.0 || c["used"] != 0.0 || len(made.json["code"].(string)) != 6 || made.json["token"] != nil {
			e.Errorf("%v", made)
		}
		now.Advance(10*time.Second + 500*time.Millisecond)
		if a := e.want(e.ask(e.owner, "POST", inAcme+"codes", login("alice")), 429, "too-soon"); a.header.Get("Retry-After") != "20" {
			e.Errorf("19.5 s too soon: Retry-After %q", a.header.Get("Retry-After"))
		}
		e.make("codes", fields{"subject": "alice", "purpose": "reset"}) // another purpose does not wait
		e.try("codes/redeem", with(code(made), fields{"purpose": "reset"}), "unknown")
		now.Advance(20 * time.Second)
		next := e.make("codes", login("alice"))
		if made.json["code"] != next.json["code"] {
			e.try("codes/redeem", code(made), "replaced")
		}
		a := e.try("codes/redeem", code(next), "ok")
		if c := a.credential(); c["state"] != "redeemed" || c["subject"] != "alice" || c["used"] == 0.0 {
			e.Errorf("%v", a)
		}
		e.try("codes/redeem", code(next), "redeemed")
		old := e.make("codes", with(login("bob"), fields{"ttl": 60}))
		now.Advance(time.Minute)
		e.try("codes/redeem", code(old), "expired")

		upper := e.make("codes", with(login("carol"), fields{"alphabet": "unambiguous"}))
		if n := len(upper.json["code"].(string)); n != 8 {
			e.Errorf("an unambiguous code of %d characters", n)
		}
		ten := e.make("codes", with(login("dave"), fields{"digits": 10}))
		sixteen := e.make("codes", with(login("erin"), fields{"alphabet": "unambiguous", "length": 16}))
		for _, text := range []string{" " + upper.json["code"].(string), upper.json["code"].(string) + "\n", "", "ABCD-EFGH"} {
			e.try("codes/redeem", with(code(upper), fields{"code": text}), "malformed") // no guess
		}
		if lower := strings.ToLower(upper.json["code"].(string)); lower != upper.json["code"] {
			e.try("codes/redeem", with(code(upper), fields{"code": lower}), "malformed")
		}
		for _, made := range []*answer{upper, ten, sixteen} {
			e.try("codes/redeem", code(made), "ok")
		}
	})
}

// TestCodeLeadingZeros: they belong to it.
func TestCodeLeadingZeros(t *testing.T) {
	e := newEnv(t, Limits{})
	for i := range 400 {
		made := e.make("codes", login(fmt.Sprintf("alice%d", i)))
		text := made.json["code"].(string)
		if text[0] != '0' {
			continue
		}
		e.try("codes/redeem", with(code(made), fields{"code": text[1:]}), "malformed")
		e.try("codes/redeem", with(code(made), fields{"code": "0" + text}), "unknown")
		e.try("codes/redeem", code(made), "ok")
		return
	}
	t.Error("none of 400 codes begins with 0")
}

// TestSixthGuess: after five at a code the right one is refused, and who raced for
// more got no more.
func TestSixthGuess(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		made := e.make("codes", login("alice"))
		for _, wait := range []time.Duration{0, 0, 0, time.Second, 2 * time.Second} {
			now.Advance(wait)
			e.try("codes/redeem", wrong(code(made)), "unknown")
		}
		if a := e.try("codes/redeem", code(made), "locked"); a.json["retry_after"] != 4.0 {
			e.Errorf("%v", a)
		}
		now.Advance(4 * time.Second)
		e.try("codes/redeem", code(made), "exhausted")
		a := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+made.credential()["id"].(string), nil), 200, "")
		if a.json["state"] != "exhausted" || a.json["used"] != 5.0 {
			e.Errorf("%v", a)
		}

		// 200 at once, three times: the free guesses, and then one at a time.
		made = e.make("codes", login("bob"))
		evaluated := 0
		for i, most := range []int{3, 1, 1, 0} {
			got := e.atOnce(200, "codes/redeem", func(i int) fields {
				return with(wrong(code(made)), fields{"ip": fmt.Sprintf("192.0.2.%d", i+1)})
			})
			evaluated += got["unknown"]
			if got["unknown"] != most || got["unknown"]+got["locked"]+got["exhausted"] != 200 {
				e.Errorf("round %d: %v, want %d evaluated", i, got, most)
			}
			now.Advance(time.Second << i)
		}
		if evaluated != 5 {
			e.Errorf("%d guesses were evaluated", evaluated)
		}
		e.Logf("800 guesses, 200 at once: %d evaluated", evaluated)
		made = e.make("codes", login("carol"))
		if got := e.atOnce(32, "codes/redeem", func(int) fields { return code(made) }); got["ok"] != 1 {
			e.Errorf("the right code, 32 at once: %v", got)
		}
	})
}

// TestNothingResets is P5 over HTTP: no new code, other purpose, other kind, other
// address and no failed request gives a guess back; a link works all the same, and
// ends the row; and so does the owner.
func TestNothingResets(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		seed := e.confirmed("alice", now)
		codes := e.make("recovery", fields{"subject": "alice"}).json["codes"].([]any)
		made := e.make("codes", login("alice"))
		for i := range 10 {
			e.ask(e.owner, "POST", inAcme+"codes/redeem", wrong(code(made)))
			now.Advance(max(0, time.Second<<max(0, i-2)))
		}
		e.ask(e.owner, "POST", inAcme+"codes/redeem", wrong(code(made))) // the eleventh: 256 s from now
		now.Advance(30 * time.Second)
		fresh := e.make("codes", login("alice"))
		other := e.make("codes", fields{"subject": "alice", "purpose": "reset"})
		totp := fields{"subject": "alice", "code": codeAt(e, seed, now.Now())}
		for what, try := range map[string]struct {
			route string
			body  fields
		}{
			"a new code": {"codes/redeem", code(fresh)}, "another purpose": {"codes/redeem", code(other)},
			"an address": {"codes/redeem", with(code(fresh), fields{"ip": "203.0.113.9"})},
			"totp":       {"totp/check", totp}, "confirm": {"totp/confirm", totp},
			"recovery": {"recovery/redeem", fields{"subject": "alice", "code": codes[0]}},
		} {
			if a := e.try(try.route, try.body, "locked"); a.json["retry_after"] != 226.0 {
				e.Errorf("%s: %v", what, a)
			}
		}
		// A live link works, and is a success.
		link := e.make("links", login("alice"))
		e.try("links/redeem", fields{"token": link.json["token"], "purpose": "login"}, "ok")
		e.try("codes/redeem", code(fresh), "ok")

		for range 3 {
			e.try("codes/redeem", wrong(code(other)), "unknown")
		}
		e.try("codes/redeem", code(other), "locked")
		unlock := fields{"subject": "alice", "reason": "seen in person"}
		for _, scopes := range [][]string{{"acme:issue", "acme:verify", "acme:read", "acme:revoke"}, nil} {
			e.want(e.ask(e.callerKey(scopes...), "POST", inAcme+"subjects/unlock", unlock), 403, "forbidden")
		}
		e.want(e.ask(e.owner, "POST", "/v1/spaces/default/subjects/unlock", unlock), 200, "")
		e.try("codes/redeem", code(other), "locked")
		if a := e.want(e.ask(e.owner, "POST", inAcme+"subjects/unlock", unlock), 200, ""); a.text != "{}" {
			e.Errorf("%v", a)
		}
		e.try("codes/redeem", code(other), "ok")
		events := e.want(e.ask(e.owner, "GET", inAcme+"events?type=subject.unlocked", nil), 200, "").json["items"].([]any)
		if len(events) != 1 || events[0].(map[string]any)["subject"] != "alice" || events[0].(map[string]any)["reason"] != "seen in person" {
			e.Errorf("events of unlocking: %v", events)
		}
	})
}

// TestFailedRequestCounts: a guess whose answer was lost with the store is counted,
// and the code lives.
func TestFailedRequestCounts(t *testing.T) {
	onEachStore(t, func(e *env, _ *clock) {
		made := e.make("codes", login("alice"))
		changes := 0
		e.st.set(func(_ context.Context, call string) error {
			if call == "Apply" {
				if changes++; changes > 1 { // the first counts the guess
					return fmt.Errorf("%w: by the test", store.ErrUnavailable)
				}
			}
			return nil
		})
		e.want(e.ask(e.owner, "POST", inAcme+"codes/redeem", code(made)), 503, "unavailable")
		e.st.set(nil)
		a := e.want(e.ask(e.owner, "GET", inAcme+"credentials/"+made.credential()["id"].(string), nil), 200, "")
		if a.json["used"] != 1.0 || a.json["state"] != "active" {
			e.Errorf("%v", a)
		}
		e.try("codes/redeem", code(made), "ok")
	})
}

// confirmed enrols an authenticator and confirms it with a code of a time step that
// is over then.
func (e *env) confirmed(subject string, now *clock) otp.Key {
	e.Helper()
	made := e.make("totp", fields{"subject": subject, "account": subject})
	key, err := otp.ParseURI(made.json["uri"].(string))
	e.must(err)
	e.try("totp/confirm", fields{"subject": subject, "code": codeAt(e, key, now.Now())}, "ok")
	now.Advance(30 * time.Second)
	return key
}

// codeAt is what an authenticator shows at a time.
func codeAt(e *env, key otp.Key, at time.Time) string {
	e.Helper()
	totp, err := key.TOTP()
	e.must(err)
	text, err := totp.Generate(key.Seed, at)
	e.must(err)
	return text
}

// TestTOTP: N, N+1, N again; nothing is accepted twice, and nothing before it is
// confirmed.
func TestTOTP(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		for _, algorithm := range []string{"", "sha256", "sha512"} {
			subject := "alice" + algorithm
			body := fields{"subject": subject, "account": "alice@example.com", "issuer": "Example", "name": "phone"}
			if algorithm != "" {
				body["algorithm"] = algorithm
			}
			made := e.make("totp", body)
			key, err := otp.ParseURI(made.json["uri"].(string))
			e.must(err)
			if c := made.credential(); c["kind"] != "totp" || c["confirmed"] != false || c["name"] != "phone" || key.Seed.Base32() != made.json["secret"] || made.json["token"] != nil || key.Issuer != "Example" {
				e.Errorf("%v", made)
			}
			at := func(steps int) fields {
				return fields{"subject": subject, "code": codeAt(e, key, now.Now().Add(time.Duration(steps)*30*time.Second))}
			}
			n := at(0)
			e.try("totp/check", n, "unknown") // not confirmed
			if a := e.try("totp/confirm", n, "ok"); a.credential()["confirmed"] != true || a.credential()["expires_at"] != nil {
				e.Errorf("%v", a)
			}
			e.try("totp/check", n, "redeemed") // its code counts as used
			e.try("totp/confirm", at(1), "unknown")
			now.Advance(30 * time.Second)
			next := at(0)
			e.try("totp/check", next, "ok")
			e.try("totp/check", n, "redeemed")
			e.try("totp/check", next, "redeemed")
			now.Advance(2 * time.Minute)
			before := at(-1)
			e.try("totp/check", with(before, fields{"strict": true}), "unknown")
			now.Advance(time.Second) // after three in a row
			e.try("totp/check", with(before, fields{"strict": false}), "ok")
			e.try("totp/check", with(at(0), fields{"strict": true}), "ok")
			now.Advance(time.Minute)
			got := e.atOnce(32, "totp/check", func(int) fields { return at(0) })
			if got["ok"] != 1 || got["ok"]+got["redeemed"]+got["locked"] != 32 {
				e.Errorf("at once: %v", got)
			}
		}
	})
}

// TestTOTPs: a subject may have ten, and any will do.
func TestTOTPs(t *testing.T) {
	e := newEnv(t, Limits{})
	body := fields{"subject": "alice", "account": "alice"}
	for range 10 {
		e.make("totp", body)
	}
	a := e.want(e.ask(e.owner, "POST", inAcme+"totp", body), 409, "conflict")
	if !strings.Contains(a.detail(), "it has 10 of the kind totp; revoke one") {
		t.Errorf("%v", a)
	}
}

// TestRecovery: each of ten is good once, and a new set ends the old one.
func TestRecovery(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		texts := func(made *answer) (codes []string) {
			for _, c := range made.json["codes"].([]any) {
				codes = append(codes, c.(string))
			}
			return codes
		}
		redeem := func(code, reason string) *answer {
			return e.try("recovery/redeem", fields{"subject": "alice", "code": code}, reason)
		}
		old := texts(e.make("recovery", fields{"subject": "alice"}))
		redeem(old[4], "ok")
		made := e.make("recovery", fields{"subject": "alice"})
		codes := texts(made)
		if c := made.credential(); len(codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != 10 || c["kind"] != "recovery" || c["uses"] != 10.0 || made.json["token"] != nil {
			e.Errorf("%v", made)
		}
		redeem(old[4], "replaced")
		redeem(old[5], "replaced")
		versions := map[string]bool{}
		for i, code := range codes {
			if i >= 8 {
				now.Advance(time.Hour) // 30 guesses an hour
			}
			a := redeem(code, "ok")
			versions[a.credential()["versions"].([]any)[0].(map[string]any)["id"].(string)] = true
			if a.credential()["used"] != float64(i+1) {
				e.Errorf("%v", a)
			}
			redeem(code, "redeemed")
		}
		if len(versions) != 10 {
			e.Errorf("%d versions were told of", len(versions))
		}
		e.try("recovery/redeem", fields{"subject": "alice", "code": strings.ToLower(codes[0])}, "malformed")
		e.try("recovery/redeem", fields{"subject": "alice", "code": strings.ReplaceAll(codes[0], "-", "")}, "malformed")
	})
}
