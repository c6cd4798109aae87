package session_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store"
)

// Nobody, a user, another, and nobody again; From, Subject and Binding agree within
// the request that changes it, and in the next.
func TestLife(t *testing.T) {
	each(t, func(p *app) {
		p.handle("/walk", func(w http.ResponseWriter, r *http.Request) {
			step := func(want string, err error) {
				t.Helper()
				if got := who(r); err != nil || got != want {
					t.Errorf("the request is %q, %v; want %q", got, err, want)
				}
			}
			was := session.Binding(r)
			changed := func(want bool) {
				t.Helper()
				if is := session.Binding(r); (is != was) != want {
					t.Errorf("the binding %q was %q; changed is to be %v", is, was, want)
				}
				was = session.Binding(r)
			}
			step("no session", nil)
			step("nobody", session.Start(w, r))
			changed(true)
			step("nobody", session.Start(w, r))
			step("nobody", theme.Set(w, r, "dark"))
			changed(false)
			step("alice", session.SignIn(w, r, session.User{Subject: "alice"}))
			changed(true)
			step("alice", session.Renew(w, r))
			changed(true)
			step("bob", session.SignIn(w, r, session.User{Subject: "bob"}))
			changed(true)
			step("no session", session.SignOut(w, r))
			changed(true)
			step("no session", session.SignOut(w, r))
			step("carol", session.SignIn(w, r, session.User{Subject: "carol"}))
		})
		b := p.browser()
		if a := b.get("/walk"); len(a.setCookies()) != 1 {
			t.Errorf("the answer sets %d cookies; it is to set the last", len(a.setCookies()))
		}
		b.want("carol")
		b.get("/out")
		b.want("no session")
		if logged := p.causes(); len(logged) != 0 {
			t.Errorf("logged %v", logged)
		}
		live := 0
		for _, c := range p.newest() {
			if c.State == keyfob.StateActive {
				live++
			}
		}
		if live != 0 {
			t.Errorf("%d sessions were left", live)
		}
	})
}

// The cookie, to the letter.
func TestCookie(t *testing.T) {
	secret := `default_[0-9A-Za-z]{65}`
	for _, test := range []struct {
		path, want string
		config     session.Config
	}{
		{"/in?subject=alice", `^__Host-session=` + secret + `; Path=/; HttpOnly; Secure; SameSite=Lax$`, session.Config{}},
		{"/start", `^__Host-session=` + secret + `; Path=/; HttpOnly; Secure; SameSite=Lax$`, session.Config{}},
		{"/in?subject=alice&remembered", `^__Host-session=` + secret + `; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$`, session.Config{}},
		{"/out", `^__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$`, session.Config{}},
		{"/in?subject=alice", `^__Host-shop=` + secret + `; Path=/; HttpOnly; Secure; SameSite=Strict$`, session.Config{Name: "shop", SameSite: http.SameSiteStrictMode}},
	} {
		p := newApp(t, "memory", false, test.config)
		a := p.browser().get(test.path)
		if lines := a.header["Set-Cookie"]; len(lines) != 1 || !regexp.MustCompile(test.want).MatchString(lines[0]) {
			t.Errorf("%s sets %q, want %s", test.path, lines, test.want)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Vary") != "Cookie" {
			t.Errorf("%s: %v", test.path, a.header)
		}
	}
}

// A cookie that is remembered ends with its session, also after a renewal; a sign-in
// that is not remembered takes the place of one that was.
func TestRemembered(t *testing.T) {
	each(t, func(p *app) {
		b := p.browser()
		b.get("/in?subject=alice&remembered")
		p.clock.Advance(24*time.Hour + time.Millisecond)
		a := b.get("/renew")
		if line := strings.Join(a.setCookies(), ""); !strings.Contains(line, "; Max-Age=2505599;") { // 29 days less a part of a second
			t.Errorf("after a day %s", strings.TrimPrefix(line, cookieName+"="+b.cookie()))
		}
		a = b.get("/in?subject=alice")
		if line := strings.Join(a.setCookies(), ""); strings.Contains(line, "Max-Age") {
			t.Errorf("not remembered any more: %s", strings.TrimPrefix(line, cookieName+"="+b.cookie()))
		}
		if line := strings.Join(b.get("/renew").setCookies(), ""); strings.Contains(line, "Max-Age") {
			t.Errorf("renewed: %s", strings.TrimPrefix(line, cookieName+"="+b.cookie()))
		}
	})
}

// What goes into a shared cache is nobody's business here, unless a secret is in it.
func TestCacheControl(t *testing.T) {
	p := newApp(t, "memory", false, session.Config{})
	for set, want := range map[string]string{
		"": "no-store", "public, max-age=60": "no-store", "no-store, max-age=0": "no-store, max-age=0", "private": "private",
	} {
		p.handle("/cache", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", set)
			p.check(session.SignIn(w, r, session.User{Subject: "alice"}))
		})
		if got := p.browser().get("/cache").header.Get("Cache-Control"); got != want {
			t.Errorf("%q became %q, want %q", set, got, want)
		}
	}
}

// Who plants a cookie in a browser, of their own session, has nothing of the sign-in
// there; nor has who stole it before.
func TestFixation(t *testing.T) {
	each(t, func(p *app) {
		attacker := p.browser()
		attacker.get("/start")
		planted := attacker.cookie()
		victim := p.browser().plant(planted)
		victim.get("/in?subject=alice")
		victim.want("alice")
		if victim.cookie() == planted {
			t.Error("the planted secret is that of the victim's session")
		}
		p.dead(planted, "replaced")
		attacker.want("no session")

		mallory := p.signedIn("mallory")
		victim = p.browser().plant(mallory.cookie())
		victim.get("/in?subject=alice")
		victim.want("alice")
		mallory.want("no session")

		for _, made := range []string{"default_" + strings.Repeat("0", 65), "x", strings.Repeat("x", 98)} {
			b := p.browser().plant(made)
			b.get("/in?subject=alice")
			if b.want("alice"); b.cookie() == made {
				t.Error("a secret that was made up is that of a session")
			}
		}
	})
}

// Attributes go on from a session of nobody and of the same subject, and not to
// another subject.
func TestAttributesOfAnother(t *testing.T) {
	each(t, func(p *app) {
		p.handle("/set", func(w http.ResponseWriter, r *http.Request) { p.check(theme.Set(w, r, r.URL.Query().Get("to"))) })
		p.handle("/get", func(w http.ResponseWriter, r *http.Request) {
			value, ok, err := theme.Get(r)
			p.check(err)
			if ok {
				_, err = w.Write([]byte(value))
				p.check(err)
			}
		})
		p.handle("/with", func(w http.ResponseWriter, r *http.Request) {
			p.check(session.SignIn(w, r, session.User{Subject: "bob", Attributes: map[string]string{"theme": "blue"}}))
		})
		b := p.browser()
		want := func(value string) {
			t.Helper()
			if got := b.get("/get").body; got != value {
				t.Errorf("the attribute is %q, want %q", got, value)
			}
		}
		b.get("/set?to=dark")
		b.get("/in?subject=alice")
		want("dark")
		b.get("/in?subject=alice")
		want("dark")
		b.get("/renew")
		want("dark")
		b.get("/in?subject=bob")
		want("")
		b.get("/set?to=light")
		b.get("/with")
		want("blue")
		b.get("/out")
		want("")
	})
}

// P4: who signs in with a password while it is being reset has no session after
// that, whichever request ends first; the one that resets it has.
func TestSignInWhileReset(t *testing.T) {
	each(t, func(p *app) {
		for _, before := range []string{"", "/start", "/in?subject=alice", "/in?subject=bob"} {
			p.clock.Advance(time.Second)
			thief, owner := p.browser(), p.browser()
			if before != "" {
				thief.get(before)
			}
			s := thief.slowly(func(w http.ResponseWriter, r *http.Request) error {
				return session.SignIn(w, r, session.User{Subject: "alice"})
			})
			p.handle("/reset", func(w http.ResponseWriter, r *http.Request) {
				p.check(session.SignOutEverywhere(w, r, "alice", "password reset"))
				p.check(session.SignIn(w, r, session.User{Subject: "alice"}))
				p.check(session.SignIn(w, r, session.User{Subject: "alice", Since: session.Arrived(r)}))
			})
			owner.get("/reset")
			if a := s.finish(); !errors.Is(s.err, keyfob.ErrConflict) || len(a.setCookies()) > 0 {
				t.Errorf("after %q the thief's sign-in: %v, sets %d cookies", before, s.err, len(a.setCookies()))
			}
			if who := thief.get("/who").body; who == "alice" {
				t.Errorf("after %q the thief is alice", before)
			}
			owner.want("alice")
			p.clock.Advance(time.Millisecond)
			owner.get("/in?subject=alice")
			owner.want("alice")
		}
	})
}

// A reset ends what it ends, and nobody else's.
func TestSignOutEverywhere(t *testing.T) {
	each(t, func(p *app) {
		here, there, bob := p.signedIn("alice"), p.signedIn("alice"), p.signedIn("bob")
		if a := bob.get("/everywhere?subject=alice"); len(a.setCookies()) > 0 {
			t.Error("the cookie of another subject's session is deleted")
		}
		here.want("no session")
		there.want("no session")
		bob.want("bob")
		p.clock.Advance(time.Millisecond)
		here.get("/in?subject=alice")
		if a := here.get("/everywhere?subject=alice"); len(a.setCookies()) != 1 || here.cookie() != "" {
			t.Error("its own cookie stays")
		}
		here.want("no session")
		p.handle("/nobody", func(w http.ResponseWriter, r *http.Request) {
			if err := session.SignOutEverywhere(w, r, "", ""); !errors.Is(err, keyfob.ErrInput) {
				t.Errorf("of nobody: %v", err)
			}
			if who(r) != "bob" {
				t.Errorf("after an error the request is %q", who(r))
			}
		})
		bob.get("/nobody")
		bob.want("bob")
	})
}

// A sign-in of two steps counts from the first.
func TestTwoSteps(t *testing.T) {
	each(t, func(p *app) {
		began := session.NewAttribute[time.Time]("began")
		p.handle("/password", func(w http.ResponseWriter, r *http.Request) { p.check(began.Set(w, r, session.Arrived(r))) })
		var got error
		p.handle("/totp", func(w http.ResponseWriter, r *http.Request) {
			since, ok, err := began.Get(r)
			p.check(err)
			if !ok {
				t.Error("the first step is not known")
			}
			got = session.SignIn(w, r, session.User{Subject: "alice", Since: since})
		})
		b := p.browser()
		b.get("/password")
		p.clock.Advance(time.Second)
		b.get("/totp")
		if b.want("alice"); got != nil {
			t.Error(got)
		}
		thief := p.browser()
		thief.get("/password")
		p.clock.Advance(time.Second)
		b.get("/everywhere?subject=alice")
		p.clock.Advance(time.Second)
		thief.get("/totp")
		if thief.want("nobody"); !errors.Is(got, keyfob.ErrConflict) {
			t.Error(got)
		}
	})
}

// What is wrong input is told, and the request stays what it was.
func TestWrongUser(t *testing.T) {
	each(t, func(p *app) {
		p.handle("/wrong", func(w http.ResponseWriter, r *http.Request) {
			for name, user := range map[string]session.User{
				"no subject": {}, "a long one": {Subject: strings.Repeat("x", 257)}, "a line": {Subject: "a\nb"},
				"a short lifetime": {Subject: "alice", Lifetime: time.Millisecond}, "idle": {Subject: "alice", Idle: 13 * time.Hour},
				"remembered": {Subject: "alice", Attributes: map[string]string{"remembered": "true"}},
				"attribute":  {Subject: "alice", Attributes: map[string]string{"a": strings.Repeat("x", 1025)}},
			} {
				if err := session.SignIn(w, r, user); !errors.Is(err, keyfob.ErrInput) {
					t.Errorf("%s: %v", name, err)
				}
				if got := who(r); got != "carol" {
					t.Errorf("%s: the request is %q", name, got)
				}
			}
		})
		b := p.signedIn("carol")
		if a := b.get("/wrong"); len(a.setCookies()) > 0 {
			t.Error("a cookie is set")
		}
		b.want("carol")
	})
}

// A sign-out that cannot be written is told of, and the browser keeps the cookie of
// the session that lives; one whose browser has left is carried out.
func TestSignOutFails(t *testing.T) {
	each(t, func(p *app) {
		b := p.signedIn("alice")
		down := func(store.Change) error { return store.ErrUnavailable }
		for path, call := range map[string]func(http.ResponseWriter, *http.Request) error{
			"/fails": session.SignOut,
			"/fail": func(w http.ResponseWriter, r *http.Request) error {
				return session.SignOutEverywhere(w, r, "alice", "")
			},
			"/fai": session.Renew,
			"/fa": func(w http.ResponseWriter, r *http.Request) error {
				return session.SignIn(w, r, session.User{Subject: "bob"})
			},
			"/f": func(w http.ResponseWriter, r *http.Request) error { return theme.Set(w, r, "dark") },
		} {
			p.handle(path, func(w http.ResponseWriter, r *http.Request) {
				if err := call(w, r); !errors.Is(err, keyfob.ErrUnavailable) {
					t.Errorf("%s, while the store is down: %v", path, err)
				}
				if got := who(r); got != "alice" {
					t.Errorf("%s: the request is %q", path, got)
				}
			})
			p.st.hook(down)
			if a := b.get(path); len(a.setCookies()) > 0 {
				t.Errorf("%s sets a cookie", path)
			}
			p.st.hook(nil)
			b.want("alice")
		}
		for path, call := range map[string]func(http.ResponseWriter, *http.Request) error{
			"/leaves": session.SignOut,
			"/leave": func(w http.ResponseWriter, r *http.Request) error {
				return session.SignOutEverywhere(w, r, "alice", "")
			},
		} {
			p.handle(path, func(w http.ResponseWriter, r *http.Request) {
				ctx, leave := context.WithCancel(r.Context())
				leave()
				p.check(call(w, r.WithContext(ctx)))
			})
			p.clock.Advance(time.Millisecond)
			b.get("/in?subject=alice")
			secret := b.cookie()
			b.get(path)
			p.dead(secret, "revoked")
		}
	})
}
