package server

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/keyfobtest"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

type clock = keyfobtest.Clock

const inAcme = "/v1/spaces/acme/"

// onEachStore runs a test on every kind of store, with a clock that stands still.
func onEachStore(t *testing.T, test func(e *env, now *clock)) {
	for name, open := range map[string]func(*testing.T) store.Store{
		"memory": func(*testing.T) store.Store { return memory.Open() },
		"sqlite": openSQLite,
	} {
		t.Run(name, func(t *testing.T) {
			now := new(clock)
			now.Set(time.Now().Truncate(30 * time.Second))
			test(newEnvWith(t, Limits{}, keyfob.Config{Store: open(t), Now: now.Now}), now)
		})
	}
}

// fields is a request's body.
type fields = map[string]any

// with is a body and more.
func with(body fields, more fields) fields {
	body = maps.Clone(body)
	maps.Copy(body, more)
	return body
}

// make issues something in acme.
func (e *env) make(route string, body fields) *answer {
	e.Helper()
	return e.want(e.ask(e.owner, "POST", inAcme+route, body), 201, "")
}

// try has something judged in acme, and wants the reason.
func (e *env) try(route string, body fields, reason string) *answer {
	e.Helper()
	a := e.want(e.ask(e.owner, "POST", inAcme+route, body), 200, "")
	if a.json["reason"] != reason {
		e.Errorf("%s: %v, want %s", route, a, reason)
	}
	e.checkVerdict(route, a)
	return a
}

// checkVerdict holds what an attempt is answered to what every such answer has.
func (e *env) checkVerdict(route string, a *answer) {
	e.Helper()
	reason := a.json["reason"]
	hasCredential := reason == "ok" || reason == "binding" && strings.HasSuffix(route, "inspect")
	retry, late := a.json["retry_after"].(float64)
	header := ""
	if late {
		header = fmt.Sprint(retry)
	}
	if a.json["valid"] != (reason == "ok") || (a.credential() != nil) != hasCredential || a.json["staleness_ms"] != 0.0 ||
		a.header.Get("Retry-After") != header || late && (retry < 1 || reason != "locked" && reason != "rate_limited") {
		e.Errorf("%s: %v, Retry-After %q", route, a, a.header.Get("Retry-After"))
	}
}

// atOnce sends a request many times at once, and counts the reasons.
func (e *env) atOnce(n int, route string, body func(i int) fields) map[string]int {
	e.Helper()
	answers := make([]*answer, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = e.want(e.ask(e.owner, "POST", inAcme+route, body(i)), 200, "") })
	}
	all.Wait()
	reasons := map[string]int{}
	for _, a := range answers {
		e.checkVerdict(route, a)
		reasons[a.json["reason"].(string)]++
	}
	return reasons
}

// TestLinkLooks: nothing but redeem consumes a link, and that once.
func TestLinkLooks(t *testing.T) {
	onEachStore(t, func(e *env, _ *clock) {
		made := e.make("links", fields{"subject": "alice", "purpose": "login", "attributes": fields{"to": "/inbox"}})
		if c := made.credential(); c["kind"] != "link" || c["purpose"] != "login" || c["state"] != "active" || c["expires_at"] == nil {
			e.Errorf("%v", made)
		}
		link := fields{"token": made.json["token"], "purpose": "login"}
		before := e.events()
		for _, path := range []string{"links", "links/inspect", "links/redeem"} {
			for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
				if a := e.ask(e.owner, method, inAcme+path, link); a.status != 405 || a.header.Get("Allow") != "POST" {
					e.Errorf("%s %s: %v", method, path, a)
				}
			}
			e.want(e.ask(e.owner, "GET", inAcme+path+"/"+made.json["token"].(string), nil), 404, "route-not-found")
			e.want(e.ask(e.owner, "POST", inAcme+path+"?token="+made.json["token"].(string), link), 400, "input")
		}
		for range 30 {
			a := e.try("links/inspect", link, "ok")
			if c := a.credential(); c["subject"] != "alice" || fmt.Sprint(c["attributes"]) != "map[to:/inbox]" || c["state"] != "active" {
				e.Errorf("%v", a)
			}
		}
		if e.events() != before {
			e.Errorf("looking left %d events", e.events()-before)
		}
		e.try("links/redeem", with(link, fields{"token": changed(made.json["token"].(string))}), "malformed")
		a := e.try("links/redeem", with(link, fields{"ip": "192.0.2.7"}), "ok")
		if c := a.credential(); c["id"] != made.credential()["id"] || c["state"] != "redeemed" {
			e.Errorf("%v", a)
		}
		e.try("links/redeem", link, "redeemed")
		e.try("links/inspect", link, "redeemed")
		e.reasons("a redeemed link as a token", made.json["token"].(string), fields{}, "unknown")
	})
}

// TestLinkIsFor: a link is good for its purpose, its browser and its space, until
// it expires or a sibling is redeemed.
func TestLinkIsFor(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		reset := fields{"subject": "alice", "purpose": "reset"}
		link := func(a *answer) fields { return fields{"token": a.json["token"], "purpose": "reset"} }
		first := link(e.make("links", with(reset, fields{"binding": "cookie"})))
		e.try("links/redeem", with(first, fields{"purpose": "login"}), "purpose")
		e.try("links/inspect", with(first, fields{"purpose": "login", "binding": "cookie"}), "purpose")
		e.try("links/redeem", first, "binding")
		e.try("links/redeem", with(first, fields{"binding": "cookies"}), "binding")
		if a := e.try("links/inspect", first, "binding"); a.credential()["subject"] != "alice" {
			e.Errorf("%v", a)
		}
		if a := e.ask(e.owner, "POST", "/v1/spaces/default/links/redeem", first); a.json["reason"] != "unknown" {
			e.Errorf("in another space: %v", a)
		}
		e.try("links/inspect", with(first, fields{"binding": "cookie"}), "ok")

		links := []fields{with(first, fields{"binding": "cookie"})}
		for range 3 {
			now.Advance(time.Second)
			links = append(links, link(e.make("links", reset)))
		}
		e.try("links/redeem", links[0], "replaced") // three may be live
		other := e.make("links", fields{"subject": "alice", "purpose": "login"})
		e.try("links/redeem", links[2], "ok")
		e.try("links/redeem", links[1], "replaced")
		e.try("links/redeem", links[3], "replaced")
		e.try("links/redeem", fields{"token": other.json["token"], "purpose": "login"}, "ok")

		short := link(e.make("links", with(reset, fields{"ttl": 60})))
		revoked := e.make("links", reset)
		e.want(e.ask(e.owner, "POST", inAcme+"credentials/"+revoked.credential()["id"].(string)+"/revoke", fields{"reason": "sent to another"}), 200, "")
		e.try("links/redeem", link(revoked), "revoked")
		now.Advance(time.Minute)
		e.try("links/redeem", short, "expired")
		e.try("links/inspect", short, "expired")
		key := e.key("acme").Secret.Reveal()
		e.try("links/redeem", fields{"token": key, "purpose": "reset"}, "unknown")
		e.try("links/redeem", fields{"token": "x", "purpose": "reset"}, "malformed")
	})
}

// TestLinkPause: a link that comes too soon after another is refused, if its request
// says so.
func TestLinkPause(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		reset := fields{"subject": "alice", "purpose": "reset"}
		paused := with(reset, fields{"pause": 60})
		e.make("links", paused)
		now.Advance(10*time.Second + 500*time.Millisecond)
		before := e.events()
		if a := e.want(e.ask(e.owner, "POST", inAcme+"links", paused), 429, "too-soon"); a.header.Get("Retry-After") != "50" {
			e.Errorf("49.5 s too soon: Retry-After %q", a.header.Get("Retry-After"))
		}
		if n := e.events() - before; n != 0 {
			e.Errorf("%d events of a link that was refused", n)
		}
		e.make("links", with(paused, fields{"purpose": "login"})) // another purpose does not wait
		now.Advance(49*time.Second + 500*time.Millisecond)
		e.make("links", with(reset, fields{"pause": 1}))
		e.make("links", reset)
		now.Advance(23*time.Hour + 59*time.Minute + 59*time.Second)
		day := with(reset, fields{"ttl": 2592000, "pause": 86400})
		e.make("links", day) // those before have expired
		now.Advance(23*time.Hour + 59*time.Minute + 59*time.Second)
		e.want(e.ask(e.owner, "POST", inAcme+"links", day), 429, "too-soon")
		now.Advance(time.Second)
		e.make("links", day)
	})
}

// TestLinkOneWinner is P2 over HTTP.
func TestLinkOneWinner(t *testing.T) {
	const rounds, at = 12, 64
	onEachStore(t, func(e *env, _ *clock) {
		for range rounds {
			made := e.make("links", fields{"subject": "alice", "purpose": "login"})
			got := e.atOnce(at, "links/redeem", func(int) fields { return fields{"token": made.json["token"], "purpose": "login"} })
			if got["ok"] != 1 || got["redeemed"] != at-1 {
				e.Errorf("%d at once: %v", at, got)
			}
		}
		e.Logf("%d rounds of %d at once: one winner each", rounds, at)
	})
}

// TestUnknownSubject: whoever guesses is not told whether there is such a subject,
// by the status, the headers or the body, up to the lockout.
func TestUnknownSubject(t *testing.T) {
	onEachStore(t, func(e *env, now *clock) {
		e.make("codes", fields{"subject": "code", "purpose": "login"})
		e.make("recovery", fields{"subject": "recovery"})
		e.confirmed("totp", now)
		for route, body := range map[string]fields{
			"codes/redeem":    {"subject": "code", "purpose": "login", "code": "00000000"}, // of another length than the one there is
			"recovery/redeem": {"subject": "recovery", "code": otp.Recovery()},
			"totp/check":      {"subject": "totp", "code": "0000000"},
			"totp/confirm":    {"subject": "totp", "code": "0000000"},
		} {
			var last string
			for i := range 6 {
				known := e.want(e.ask(e.owner, "POST", inAcme+route, body), 200, "")
				unknown := e.want(e.ask(e.owner, "POST", inAcme+route, with(body, fields{"subject": "nobody " + route})), 200, "")
				last = known.text
				known.header.Del(RequestIDHeader)
				unknown.header.Del(RequestIDHeader)
				known.header.Del("Date")
				unknown.header.Del("Date")
				if known.text != unknown.text || !maps.EqualFunc(known.header, unknown.header, slices.Equal) {
					e.Errorf("%s, guess %d: known %v %v, unknown %v %v", route, i+1, known, known.header, unknown, unknown.header)
				}
			}
			if !strings.Contains(last, `"locked"`) {
				e.Errorf("%s: the sixth guess is answered %s", route, last)
			}
			e.want(e.ask(e.owner, "POST", inAcme+"subjects/unlock", fields{"subject": body["subject"]}), 200, "")
		}
	})
}

// TestAddressGuesses: beyond a thousand guesses an hour an address gets no more, at
// whichever subjects, and others do. Of IPv6 all of a /64 is one.
func TestAddressGuesses(t *testing.T) {
	now := new(clock)
	now.Set(time.Now())
	e := newEnvWith(t, Limits{}, keyfob.Config{Now: now.Now})
	guess := func(n int, ip string) fields {
		return fields{"subject": fmt.Sprintf("s%d", n/3), "code": "000000", "ip": ip}
	}
	for n := range 1000 {
		e.try("totp/check", guess(n, fmt.Sprintf("2001:db8::%x", n)), "unknown")
	}
	if a := e.try("totp/check", guess(2000, "2001:db8::ffff:1"), "rate_limited"); a.json["retry_after"] != 3600.0 {
		t.Errorf("%v", a)
	}
	from := fields{"subject": "bob", "ip": "2001:db8::7"}
	for route, more := range map[string]fields{
		"codes/redeem": {"purpose": "login", "code": "000000"}, "recovery/redeem": {"code": otp.Recovery()}, "totp/confirm": {"code": "000000"},
	} {
		e.try(route, with(from, more), "rate_limited")
	}
	e.try("totp/check", guess(2000, "2001:db8:0:1::1"), "unknown")
	now.Advance(time.Hour)
	e.try("totp/check", guess(2001, "2001:db8::1"), "unknown")
}

// TestMetricsOfAttempts: verdicts of these routes are counted by reason as well.
func TestMetricsOfAttempts(t *testing.T) {
	e := newEnv(t, Limits{})
	made := e.make("links", fields{"subject": "alice", "purpose": "login"})
	link := fields{"token": made.json["token"], "purpose": "login"}
	e.try("links/inspect", link, "ok")
	e.try("links/inspect", with(link, fields{"purpose": "x"}), "purpose")
	e.try("links/redeem", link, "ok")
	e.try("links/redeem", link, "redeemed")
	for _, route := range []string{"codes/redeem", "recovery/redeem", "totp/check", "totp/confirm"} {
		body := fields{"subject": route, "code": "000000"}
		if route == "codes/redeem" {
			body["purpose"] = "login"
		}
		if route == "recovery/redeem" {
			body["code"] = otp.Recovery()
		}
		for range 3 {
			e.try(route, body, "unknown")
		}
		e.try(route, body, "locked")
	}
	e.want(e.ask(e.owner, "POST", "/v1/spaces/nowhere/links/redeem", link), 404, "space-not-found")
	for reason, want := range map[string]string{"ok": "2", "purpose": "1", "redeemed": "1", "unknown": "12", "locked": "4", "undecided": "1"} {
		e.await(e.owner, `keyfob_verifications_total{reason="`+reason+`"}`, want)
	}
}

// TestOnlyPostConsumes: a browser that follows something to the API consumes
// nothing, whatever it sends along.
func TestOnlyPostConsumes(t *testing.T) {
	e := newEnv(t, Limits{})
	made := e.make("links", fields{"subject": "alice", "purpose": "login"})
	link := fields{"token": made.json["token"], "purpose": "login"}
	for _, edit := range []func(*http.Request){
		func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		func(r *http.Request) { r.Header.Del("Authorization") },
	} {
		if a := e.ask(e.owner, "POST", inAcme+"links/redeem", link, edit); a.status < 400 {
			t.Errorf("%v", a)
		}
	}
	e.want(e.ask(e.owner, "GET", inAcme+"links/redeem", link, func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "POST") }), 405, "method-not-allowed")
	e.try("links/redeem", link, "ok")
}
