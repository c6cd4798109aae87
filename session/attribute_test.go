package session_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
)

var counter = session.NewAttribute[int]("counter")

func count(n int, _ bool) (int, error) { return n + 1, nil }

// Writers of one session lose nothing: requests of two browsers with its cookie, and
// goroutines of a request.
func TestWritersLoseNothing(t *testing.T) {
	const writers, each1 = 6, 10
	each(t, func(p *app) {
		p.handle("/count", func(w http.ResponseWriter, r *http.Request) { p.check(counter.Update(w, r, count)) })
		p.handle("/fan", func(w http.ResponseWriter, r *http.Request) {
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					p.check(counter.Update(w, r, count))
					if _, ok, err := counter.Get(r); !ok || err != nil {
						t.Errorf("what was just written is not there: %v, %v", ok, err)
					}
				})
			}
			all.Wait()
			n, _, err := counter.Get(r)
			p.check(err)
			fmt.Fprint(w, n)
		})
		p.handle("/counter", func(w http.ResponseWriter, r *http.Request) {
			n, _, err := counter.Get(r)
			p.check(err)
			fmt.Fprint(w, n)
		})
		b := p.browser()
		a := b.get("/fan") // it has no session yet
		if a.body != fmt.Sprint(writers) || len(a.setCookies()) != 1 {
			t.Errorf("goroutines of a request counted to %s of %d, and set %d cookies", a.body, writers, len(a.setCookies()))
		}
		if n := len(p.newest()); n != 1 {
			t.Errorf("they made %d sessions", n)
		}
		var all sync.WaitGroup
		for i := range writers {
			writer := b.with()
			all.Go(func() {
				for range each1 {
					writer.get([]string{"/count", "/fan"}[i%2])
				}
			})
		}
		all.Wait()
		if got, want := b.get("/counter").body, fmt.Sprint(writers+writers/2*each1*(1+writers)); got != want {
			t.Errorf("counted to %s, want %s", got, want)
		}
	})
}

// Other attributes of the session stay, whoever writes them at the same time.
func TestOtherAttributesStay(t *testing.T) {
	each(t, func(p *app) {
		b := p.signedIn("alice")
		s := b.with().slowly(func(w http.ResponseWriter, r *http.Request) error { return counter.Set(w, r, 7) })
		p.handle("/theme", func(w http.ResponseWriter, r *http.Request) { p.check(theme.Set(w, r, "dark")) })
		p.handle("/plain", func(w http.ResponseWriter, r *http.Request) { p.check(theme.Delete(r)) })
		b.get("/theme")
		s.finish()
		p.check(s.err)
		if got := b.session().Attributes; got["theme"] != "dark" || got["counter"] != "7" || got["remembered"] != "false" {
			t.Errorf("%v", got)
		}
		b.get("/plain")
		if got := b.session().Attributes; len(got) != 2 || got["counter"] != "7" {
			t.Errorf("%v", got)
		}
		nobody := p.browser()
		if a := nobody.get("/plain"); len(a.setCookies()) > 0 {
			t.Error("a session was made to delete something in it")
		}
	})
}

type basket struct {
	Items map[string]int
	Note  string
}

// Each type comes back as it was.
func TestTypes(t *testing.T) {
	each(t, func(p *app) {
		p.handle("/types", func(w http.ResponseWriter, r *http.Request) {
			roundTrip(t, w, r, "")
			roundTrip(t, w, r, `"quoted" {[ größe`)
			roundTrip(t, w, r, true)
			roundTrip(t, w, r, -1.5)
			roundTrip(t, w, r, []byte{0, 255, 10})
			roundTrip(t, w, r, []string{"a", "", "\n\t\u2028"})
			roundTrip(t, w, r, &basket{map[string]int{"tea": 2}, "two\nlines"})
			roundTrip[*basket](t, w, r, nil)
			roundTrip[any](t, w, r, "text")
			roundTrip[any](t, w, r, map[string]any{"a": 1.0})
		})
		p.browser().get("/types")
	})
}

func roundTrip[T any](t *testing.T, w http.ResponseWriter, r *http.Request, value T) {
	t.Helper()
	a := session.NewAttribute[T](fmt.Sprintf("%T", *new(T)) + " of it")
	if got, ok, err := a.Get(r); ok && reflect.DeepEqual(got, value) || err != nil {
		t.Errorf("it has %v already: %v", got, err)
	}
	if err := a.Set(w, r, value); err != nil {
		t.Errorf("%#v: %v", value, err)
	}
	if got, ok, err := a.Get(r); !ok || err != nil || !reflect.DeepEqual(got, value) {
		t.Errorf("%#v came back as %#v, %v, %v", value, got, ok, err)
	}
}

// What cannot be kept is refused, and nothing is cut; the session stays as it was.
func TestAttributeBounds(t *testing.T) {
	each(t, func(p *app) {
		long, enough := strings.Repeat("x", 1025), strings.Repeat("x", 1024)
		numbers := session.NewAttribute[chan int]("numbers")
		failure := errors.New("no more")
		refused := func(name string, want, err error) {
			t.Helper()
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.handle("/bounds", func(w http.ResponseWriter, r *http.Request) {
			p.check(theme.Set(w, r, enough))
			for range 2 { // without a session at first, in the second handler
				refused("1025 bytes", keyfob.ErrInput, theme.Set(w, r, long))
				refused("a line", keyfob.ErrInput, theme.Set(w, r, "a\nb"))
				refused("no UTF-8", keyfob.ErrInput, theme.Set(w, r, "\xff"))
			}
			refused("a channel", nil, numbers.Set(w, r, make(chan int)))
			refused("its own error", failure, theme.Update(w, r, func(string, bool) (string, error) { return "light", failure }))
			refused("another type", nil, session.NewAttribute[int]("theme").Update(w, r, count))
			if _, ok, err := session.NewAttribute[int]("theme").Get(r); ok || err == nil {
				t.Errorf("a text is an int: %v, %v", ok, err)
			}
			if value, ok, err := theme.Get(r); value != enough || !ok || err != nil {
				t.Errorf("it became %.20q, %v, %v", value, ok, err)
			}
			for i := range 63 {
				p.check(session.NewAttribute[int](fmt.Sprint("a", i)).Set(w, r, i))
			}
			refused("65 of them", keyfob.ErrInput, counter.Set(w, r, 1))
		})
		p.browser().get("/bounds")
		p.handle("/none", func(w http.ResponseWriter, r *http.Request) {
			refused("1025 bytes", keyfob.ErrInput, theme.Set(w, r, long))
			refused("its own error", failure, theme.Update(w, r, func(string, bool) (string, error) { return "light", failure }))
			io.WriteString(w, who(r))
		})
		if a := p.browser().get("/none"); a.body != "no session" || len(a.setCookies()) > 0 {
			t.Errorf("%q, sets %d cookies", a.body, len(a.setCookies()))
		}
	})
}

// What an earlier release of the application kept in another form can be written over.
func TestSetOverAnotherForm(t *testing.T) {
	each(t, func(p *app) {
		old, now := session.NewAttribute[string]("cart"), session.NewAttribute[[]int]("cart")
		p.handle("/old", func(w http.ResponseWriter, r *http.Request) { p.check(old.Set(w, r, "3 apples")) })
		p.handle("/now", func(w http.ResponseWriter, r *http.Request) {
			if _, _, err := now.Get(r); err == nil {
				t.Error("Get takes one form for the other")
			}
			p.check(now.Set(w, r, []int{3}))
			if got, ok, err := now.Get(r); len(got) != 1 || !ok || err != nil {
				t.Errorf("%v, %v, %v", got, ok, err)
			}
		})
		b := p.browser()
		b.get("/old")
		b.get("/now")
	})
}

// An Update that writes attributes itself ends, with an error.
func TestUpdateInUpdate(t *testing.T) {
	p := newApp(t, "memory", false, session.Config{})
	p.handle("/nested", func(w http.ResponseWriter, r *http.Request) {
		tries := 0
		err := counter.Update(w, r, func(n int, _ bool) (int, error) {
			if tries++; tries > 10_000 {
				return n, errors.New("it is tried for ever")
			}
			return n, theme.Set(w, r, "dark")
		})
		if !errors.Is(err, keyfob.ErrConflict) {
			t.Errorf("%v", err)
		}
	})
	p.signedIn("alice").get("/nested")
}

func TestAttributeNames(t *testing.T) {
	for _, name := range []string{"", "remembered", strings.Repeat("x", 65), "a\nb", "\xff", "a\u202eb"} {
		panics(t, name, func() { session.NewAttribute[int](name) })
	}
	session.NewAttribute[int]("größe 2")
}

func panics(t *testing.T, name string, do func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "session: ") {
			t.Errorf("%q: panics with %q", name, text)
		}
	}()
	do()
}
