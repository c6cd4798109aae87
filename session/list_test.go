package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
)

// The list is of the subject's own live sessions, the newest first; of these, and no
// others, one can be revoked.
func TestListAndRevoke(t *testing.T) {
	each(t, func(p *app) {
		in := func(subject string) (*browser, string) {
			p.clock.Advance(time.Second)
			b := p.signedIn(subject)
			return b, b.session().ID
		}
		expired, _ := in("alice")
		p.clock.Advance(30 * time.Minute)
		over, _ := in("alice")
		over.get("/out")
		first, firstID := in("alice")
		bob, bobID := in("bob")
		nobody := p.browser()
		nobody.get("/start")
		nobodyID := nobody.session().ID
		last, lastID := in("alice")
		key, err := p.a.Issue(t.Context(), keyfob.APIKey{Subject: "alice"})
		p.must(err)

		list := func(b *browser) (ids []string, err error) {
			p.handle("/list", func(w http.ResponseWriter, r *http.Request) {
				var all []keyfob.Credential
				all, err = session.List(r)
				for _, c := range all {
					ids = append(ids, c.ID)
				}
			})
			b.get("/list")
			return ids, err
		}
		revoke := func(b *browser, id string) (err error) {
			p.handle("/revoke", func(w http.ResponseWriter, r *http.Request) {
				own, _ := session.From(r.Context())
				err = session.Revoke(r, id, "not me")
				if err == nil && id == own.ID && who(r) != "no session" {
					t.Errorf("after revoking its own the request is %q", who(r))
				}
			})
			b.get("/revoke")
			return err
		}
		if ids, err := list(first); err != nil || len(ids) != 2 || ids[0] != lastID || ids[1] != firstID {
			t.Errorf("alice has %v, %v; want %s and %s", ids, err, lastID, firstID)
		}
		for name, b := range map[string]*browser{"nobody": nobody, "a stranger": p.browser(), "expired": expired} {
			if ids, err := list(b); !errors.Is(err, session.ErrNobody) || len(ids) > 0 {
				t.Errorf("%s has %v, %v", name, ids, err)
			}
			if err := revoke(b, firstID); !errors.Is(err, session.ErrNobody) {
				t.Errorf("%s revokes: %v", name, err)
			}
		}
		for name, id := range map[string]string{
			"bob's": bobID, "nobody's": nobodyID, "an API key": key.Credential.ID, "a version": first.session().Versions[0].ID,
			"no id": "x", "empty": "", "a token": last.cookie(), "unknown": "0000000000000000",
		} {
			if err := revoke(first, id); !errors.Is(err, keyfob.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		first.want("alice")
		bob.want("bob")
		nobody.want("nobody")
		p.must(revoke(first, lastID))
		last.want("no session")
		p.must(revoke(first, lastID)) // again
		if ids, err := list(first); err != nil || len(ids) != 1 || ids[0] != firstID {
			t.Errorf("alice has %v, %v", ids, err)
		}
		p.must(revoke(first, firstID))
		first.want("no session")
	})
}

// A list goes on beyond a page.
func TestLongList(t *testing.T) {
	p := newApp(t, "memory", false, session.Config{})
	for range 2100 {
		_, err := p.a.Issue(t.Context(), keyfob.Session{Subject: "alice"})
		p.must(err)
	}
	n := 0
	p.handle("/list", func(w http.ResponseWriter, r *http.Request) {
		all, err := session.List(r)
		p.check(err)
		n = len(all)
	})
	if p.signedIn("alice").get("/list"); n != 2101 {
		t.Errorf("%d of 2101 sessions", n)
	}
}

// Without a session there is nothing to renew.
func TestRenewNothing(t *testing.T) {
	each(t, func(p *app) {
		p.handle("/renew", func(w http.ResponseWriter, r *http.Request) {
			if err := session.Renew(w, r); !errors.Is(err, session.ErrNobody) {
				t.Errorf("%v", err)
			}
		})
		p.browser().get("/renew")
	})
}

// What From returns is the caller's own.
func TestFromIsACopy(t *testing.T) {
	p := newApp(t, "memory", false, session.Config{})
	p.handle("/from", func(w http.ResponseWriter, r *http.Request) {
		p.check(theme.Set(w, r, "dark"))
		c, _ := session.From(r.Context())
		c.Attributes["theme"], c.Versions[0].ID = "light", "x"
		if value, _, err := theme.Get(r); value != "dark" || err != nil || session.Binding(r) == "x" {
			t.Errorf("it became %q, %v", value, err)
		}
	})
	p.signedIn("alice").get("/from")
}
