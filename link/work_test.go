package link_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/link"
)

// A code ends the other links of its subject as well, and its guesses count for the
// address that they come from.
func TestCodeEndsTheOtherLinks(t *testing.T) {
	var asked []netip.Addr
	here := netip.MustParseAddr("192.0.2.7")
	p := newApp(t, func(c *link.Config) {
		c.Bind = true
		c.Verbs = addresses{c.Verbs, &asked}
		c.ClientIP = func(*http.Request) netip.Addr { return here }
	})
	b := p.browser()
	first := b.ask("alice@example.com")
	p.clock.Advance(time.Minute)
	second := b.ask("alice@example.com")
	got := p.browser().post("/in", url.Values{"token": {tokenOf(second)}, "code": {second.Code.Reveal()}})
	if got.body != "hello alice" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, m := range []link.Message{first, second} {
		if got := b.redeem(m); got.status != http.StatusForbidden {
			t.Errorf("a link is still good: %d %s", got.status, got.body)
		}
	}
	if !slices.Contains(asked, here) {
		t.Error("the guess was counted for no address")
	}
}

// addresses notes from where codes are presented.
type addresses struct {
	keyfob.Verbs
	asked *[]netip.Addr
}

func (v addresses) Redeem(ctx context.Context, at keyfob.Attempt) (keyfob.Credential, error) {
	if at.Kind == keyfob.KindCode {
		*v.asked = append(*v.asked, at.IP)
	}
	return v.Verbs.Redeem(ctx, at)
}

// After a sign-in the next mail waits for the code's half minute, and no longer.
func TestAskingAfterSignIn(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Bind = true })
	b := p.browser()
	b.redeem(b.ask("alice@example.com"))
	p.clock.Advance(10 * time.Second)
	if got := b.post("/forgot", url.Values{"email": {"alice@example.com"}}); got.status != http.StatusAccepted {
		t.Fatal(got.status)
	}
	b.ask("bob@example.com") // by now the one before is done
	p.clock.Advance(20 * time.Second)
	if m := b.ask("alice@example.com"); m.Account.Subject != "alice" {
		t.Errorf("a mail to %+v", m.Account)
	}
}

// In another browser the link asks for the code that came with it.
func TestBinding(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Bind = true })
	here, elsewhere := p.browser(), p.browser()
	m := here.ask("alice@example.com")
	if len(m.Code.Reveal()) != 6 || strings.Contains(m.URL.Reveal(), m.Code.Reveal()) {
		t.Fatal("the mail has no code, or the link has it")
	}
	got := elsewhere.get(pathOf(m))
	if got.status != http.StatusOK || !strings.Contains(got.body, `name="code"`) {
		t.Fatalf("elsewhere: %d %s", got.status, got.body)
	}
	for name, form := range map[string]url.Values{
		"no code": {"token": {tokenOf(m)}}, "no form": {"token": {tokenOf(m)}, "code": {""}},
		"a wrong code": {"token": {tokenOf(m)}, "code": {other(m.Code.Reveal())}}, "no digits": {"token": {tokenOf(m)}, "code": {"abcdef"}},
	} {
		if got := elsewhere.post("/in", form); got.status == http.StatusOK && strings.Contains(got.body, "hello") || !strings.Contains(got.body, `name="code"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if len(p.signedIn()) != 0 {
		t.Fatal("signed in without the code")
	}
	got = elsewhere.post("/in", url.Values{"token": {tokenOf(m)}, "code": {m.Code.Reveal()}})
	if got.status != http.StatusOK || got.body != "hello alice" {
		t.Fatalf("with the code: %d %s", got.status, got.body)
	}
	if got := here.redeem(m); got.status != http.StatusForbidden {
		t.Errorf("and here, after that: %d", got.status)
	}
}

// other is another code than this.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestBindingHere(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Bind, c.Pause = true, -1 })
	b := p.browser()
	m := b.ask("alice@example.com")
	got := b.get(pathOf(m))
	if got.status != http.StatusOK || strings.Contains(got.body, `name="code"`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got = b.redeem(m)
	if got.status != http.StatusOK || got.body != "hello alice" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	c := strings.Join(got.header["Set-Cookie"], "; ")
	if !strings.HasPrefix(c, "__Host-keyfob-link=;") || !strings.Contains(c, "Max-Age=0") {
		t.Errorf("the cookie stays: %s", c)
	}
}

// A code takes the place of the cookie for its own subject's link, while that is good.
func TestCodeNeedsItsLink(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Bind = true })
	b, elsewhere := p.browser(), p.browser()
	alice, bob := b.ask("alice@example.com"), b.ask("bob@example.com")
	with := func(m link.Message, code keyfob.Secret) answer {
		return elsewhere.post("/in", url.Values{"token": {tokenOf(m)}, "code": {code.Reveal()}})
	}
	if got := with(alice, bob.Code); got.status != http.StatusForbidden || !strings.Contains(got.body, `name="code"`) {
		t.Errorf("another's code: %d %s", got.status, got.body)
	}
	if got := with(bob, bob.Code); got.body != "hello bob" {
		t.Errorf("bob: %d %s", got.status, got.body)
	}
	if got := b.redeem(alice); got.body != "hello alice" {
		t.Errorf("alice: %d %s", got.status, got.body)
	}
	none := link.Message{URL: keyfob.NewSecret("https://app.example/in?token=none")}
	for name, m := range map[string]link.Message{"no link": none, "a link that was redeemed": alice} {
		if got := with(m, alice.Code); got.status != http.StatusForbidden || strings.Contains(got.body, `name="code"`) {
			t.Errorf("%s, and a code: %d %s", name, got.status, got.body)
		}
	}
	if n := len(p.signedIn()); n != 2 {
		t.Errorf("Done was called %d times, want 2", n)
	}
}

// Who asks for mail to somebody again and again does not end what was mailed. With a
// code a second mail waits for half a minute, whatever Pause is.
func TestAskingAgain(t *testing.T) {
	for _, pause := range []time.Duration{0, -1, time.Second, 45 * time.Second} {
		p := newApp(t, func(c *link.Config) { c.Bind, c.Pause = true, pause })
		b := p.browser()
		b.ask("alice@example.com")
		apart := max(pause, 30*time.Second)
		if pause == 0 {
			apart = time.Minute
		}
		p.clock.Advance(apart)
		m := b.ask("alice@example.com")
		p.clock.Advance(apart - time.Second)
		for range 5 {
			p.browser().post("/forgot", url.Values{"email": {"alice@example.com"}})
		}
		if err := p.flow.Close(t.Context()); err != nil || len(p.mails) != 0 || len(p.failed) != 0 {
			t.Errorf("pause %v: %v, %d mails and %d failures more", pause, err, len(p.mails), len(p.failed))
		}
		if got := b.redeem(m); got.status != http.StatusOK || got.body != "hello alice" {
			t.Errorf("pause %v: what was mailed: %d %s", pause, got.status, got.body)
		}
	}
}

func TestCookie(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Bind = true })
	got := p.browser().post("/forgot", url.Values{"email": {"nobody@example.com"}})
	c := got.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-keyfob-link=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(c, want) {
			t.Errorf("the cookie lacks %s: it is %d characters", want, len(c))
		}
	}
	// What bind did not set is replaced, so that nobody chooses it.
	for _, value := range []string{"", "x", "none"} {
		b := p.browser()
		r := b.request("POST", "/forgot", url.Values{"email": {"nobody@example.com"}})
		r.AddCookie(&http.Cookie{Name: "__Host-keyfob-link", Value: value})
		if set := cookieOf(b.do(r)); len(set) != 43 {
			t.Errorf("cookie %q becomes one of %d characters", value, len(set))
		}
	}
	b := p.browser()
	kept := cookieOf(b.post("/forgot", url.Values{"email": {"nobody@example.com"}}))
	if again := cookieOf(b.post("/forgot", url.Values{"email": {"nobody@example.com"}})); again != kept {
		t.Error("who asks again has another cookie, and the link before is lost")
	}
	// A link that is bound to nothing works in no browser.
	free, err := p.a.Issue(t.Context(), keyfob.Link{Subject: "carol", Purpose: "login"})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.browser().post("/in", url.Values{"token": {free.Secret.Reveal()}}); !strings.Contains(got.body, `name="code"`) {
		t.Errorf("a link without a binding: %d %s", got.status, got.body)
	}
	// A browser that asked for nothing is bound to nothing, and two cookies are none.
	m := b.ask("alice@example.com")
	twice := p.browser().request("POST", "/in", url.Values{"token": {tokenOf(m)}})
	twice.AddCookie(&http.Cookie{Name: "__Host-keyfob-link", Value: kept})
	twice.AddCookie(&http.Cookie{Name: "__Host-keyfob-link", Value: strings.Repeat("x", 43)})
	asked := p.browser()
	asked.ask("bob@example.com")
	for name, got := range map[string]answer{"with two cookies": p.browser().do(twice), "that asked for bob": asked.redeem(m)} {
		if !strings.Contains(got.body, `name="code"`) {
			t.Errorf("a browser %s: %d %s", name, got.status, got.body)
		}
	}
	for _, value := range []string{"", "none", strings.Repeat("x", 43)} {
		b := p.browser()
		r := b.request("POST", "/in", url.Values{"token": {tokenOf(m)}})
		r.AddCookie(&http.Cookie{Name: "__Host-keyfob-link", Value: value})
		if got := b.do(r); !strings.Contains(got.body, `name="code"`) {
			t.Errorf("cookie %q: %d %s", value, got.status, got.body)
		}
	}
	if got := b.redeem(m); got.body != "hello alice" {
		t.Errorf("the browser that asked: %d %s", got.status, got.body)
	}
}

// cookieOf is the value of the cookie that an answer sets.
func cookieOf(got answer) string {
	_, value, _ := strings.Cut(got.header.Get("Set-Cookie"), "__Host-keyfob-link=")
	value, _, _ = strings.Cut(value, ";")
	return value
}

// An error of the application's may quote the mail; ours does not, and the next
// mail is sent.
func TestFailures(t *testing.T) {
	fail := true
	p := newApp(t, func(c *link.Config) {
		mail := c.Mail
		c.Bind = true
		c.Find = func(_ context.Context, typed string) (link.Account, error) {
			if typed == "panic" {
				panic("a secret")
			}
			return accounts[typed], nil
		}
		c.Mail = func(ctx context.Context, m link.Message) error {
			if fail {
				fail = false
				return errors.New("refused: see " + m.URL.Reveal() + " code " + m.Code.Reveal() + " token " + tokenOf(m))
			}
			return mail(ctx, m)
		}
	})
	b := p.browser()
	b.post("/forgot", url.Values{"email": {"alice@example.com"}})
	text := (<-p.failed).Error()
	if text != "link: send a mail: refused: see [REDACTED] code [REDACTED] token [REDACTED]" {
		t.Error(text)
	}
	b.post("/forgot", url.Values{"email": {"panic"}})
	if text := (<-p.failed).Error(); strings.Contains(text, "secret") {
		t.Error(text)
	}
	b.ask("bob@example.com")
}

// When too many mails wait, everybody is told so.
func TestBusy(t *testing.T) {
	look := make(chan struct{})
	p := newApp(t, func(c *link.Config) {
		c.Find = func(context.Context, string) (link.Account, error) {
			<-look
			return link.Account{}, nil
		}
	})
	b := p.browser()
	statuses := map[int]int{}
	for i := range 2000 {
		address := "nobody@example.com"
		if i%2 == 0 {
			address = "alice@example.com"
		}
		got := b.post("/forgot", url.Values{"email": {address}})
		if statuses[got.status]++; got.status == http.StatusServiceUnavailable {
			break
		}
	}
	if statuses[http.StatusServiceUnavailable] != 1 || statuses[http.StatusAccepted] > 1100 || statuses[http.StatusAccepted] < 1000 {
		t.Errorf("%v", statuses)
	}
	close(look)
	if err := p.flow.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.post("/forgot", url.Values{"email": {"alice@example.com"}}); got.status != http.StatusServiceUnavailable {
		t.Errorf("after Close: %d", got.status)
	}
}

func TestCloseGivesUp(t *testing.T) {
	p := newApp(t, func(c *link.Config) {
		c.Find = func(ctx context.Context, _ string) (link.Account, error) {
			<-ctx.Done()
			return link.Account{}, ctx.Err()
		}
	})
	p.browser().post("/forgot", url.Values{"email": {"alice@example.com"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.flow.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := <-p.failed; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := link.Config{
		Verbs: (*keyfob.Authority)(nil), Purpose: "login", Base: "https://app.example/in",
		Find: func(context.Context, string) (link.Account, error) { return link.Account{}, nil },
		Mail: func(context.Context, link.Message) error { return nil },
		Done: func(http.ResponseWriter, *http.Request, keyfob.Credential) {},
	}
	for name, change := range map[string]func(*link.Config){
		"no Verbs": func(c *link.Config) { c.Verbs = nil }, "no Find": func(c *link.Config) { c.Find = nil },
		"no Mail": func(c *link.Config) { c.Mail = nil }, "no Done": func(c *link.Config) { c.Done = nil },
		"no Purpose": func(c *link.Config) { c.Purpose = "" }, "a Purpose that is none": func(c *link.Config) { c.Purpose = "Log in" },
		"Field token": func(c *link.Config) { c.Field = "token" },
		"TTL":         func(c *link.Config) { c.TTL = -1 },
		"a long TTL":  func(c *link.Config) { c.TTL = 30*24*time.Hour + 1 }, "a long Pause": func(c *link.Config) { c.Pause = 24*time.Hour + 1 },
		"no Base": func(c *link.Config) { c.Base = "" }, "relative": func(c *link.Config) { c.Base = "/in" },
		"plain http": func(c *link.Config) { c.Base = "http://app.example/in" }, "query": func(c *link.Config) { c.Base += "?a=b" },
		"empty query": func(c *link.Config) { c.Base += "?" }, "fragment": func(c *link.Config) { c.Base += "#a" },
		"user": func(c *link.Config) { c.Base = "https://u:p@app.example/in" }, "scheme": func(c *link.Config) { c.Base = "javascript://app.example/in" },
	} {
		c := good
		change(&c)
		if f, err := link.New(c); err == nil {
			f.Close(t.Context())
			t.Errorf("%s is taken", name)
		} else if !strings.HasPrefix(err.Error(), "link: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, base := range []string{"http://localhost:8080/in", "http://127.0.0.1/in", "http://[::1]:80/in", "https://app.example"} {
		c := good
		c.Base = base
		f, err := link.New(c)
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		f.Close(t.Context())
	}
}

// gone is verbs of a browser that goes away when its code is redeemed.
type gone struct {
	keyfob.Verbs
	leave context.CancelFunc
}

func (g gone) Redeem(ctx context.Context, attempt keyfob.Attempt) (keyfob.Credential, error) {
	c, err := g.Verbs.Redeem(ctx, attempt)
	if attempt.Kind == keyfob.KindCode {
		g.leave()
	}
	return c, err
}

// A link ends with its code, also when nobody waits for the answer.
func TestBrowserLeaves(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	p := newApp(t, func(c *link.Config) { c.Bind, c.Verbs = true, gone{c.Verbs, leave} })
	here := p.browser()
	m := here.ask("alice@example.com")
	form := url.Values{"token": {tokenOf(m)}, "code": {m.Code.Reveal()}}
	r := here.request("POST", "/in", form).WithContext(ctx)
	p.flow.Redeem().ServeHTTP(httptest.NewRecorder(), r)
	if n := len(p.signedIn()); n != 1 {
		t.Fatalf("Done was called %d times, want once", n)
	}
	if got := here.redeem(m); got.status != http.StatusForbidden {
		t.Errorf("the link, after its code: %d %s", got.status, got.body)
	}
}

// A flow without Bind takes no code in the place of a binding.
func TestCodeWithoutBind(t *testing.T) {
	p := newApp(t, nil)
	l, err := p.a.Issue(t.Context(), keyfob.Link{Subject: "alice", Purpose: "login", Binding: "another"})
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.a.Issue(t.Context(), keyfob.Code{Subject: "alice", Purpose: "login"})
	if err != nil {
		t.Fatal(err)
	}
	got := p.browser().post("/in", url.Values{"token": {l.Secret.Reveal()}, "code": {code.Secret.Reveal()}})
	if got.status != http.StatusForbidden || len(p.signedIn()) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
