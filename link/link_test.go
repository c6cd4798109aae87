package link_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/link"
)

// Scanners and previews open a link as often as they like; then it works, once.
func TestFlow(t *testing.T) {
	p := newApp(t, nil)
	b := p.browser()
	m := b.ask("Alice@Example.com")
	if m.Account != accounts["alice@example.com"] || m.Code.Reveal() != "" || !strings.HasPrefix(m.URL.Reveal(), "https://app.example/in?token=") {
		t.Fatalf("mailed to %+v", m.Account)
	}
	for range 5 {
		if got := b.do(b.request("HEAD", pathOf(m), nil)); got.status != http.StatusOK {
			t.Fatalf("HEAD: %d", got.status)
		}
		got := b.get(pathOf(m))
		if got.status != http.StatusOK || !strings.Contains(got.body, `value="`+tokenOf(m)+`"`) || !strings.Contains(got.body, `action="/in"`) {
			t.Fatalf("GET: %d %s", got.status, got.body)
		}
		checkHeaders(t, got.header)
	}
	done := b.redeem(m)
	if done.status != http.StatusOK || done.body != "hello alice" {
		t.Fatalf("redeemed: %d %s", done.status, done.body)
	}
	if done.header.Get("Referrer-Policy") != "no-referrer" || done.header.Get("Cache-Control") != "no-store" {
		t.Errorf("what Done answers has the header %v", done.header)
	}
	for _, got := range []answer{b.redeem(m), b.get(pathOf(m))} {
		if got.status != http.StatusForbidden || strings.Contains(got.body, tokenOf(m)) {
			t.Errorf("again: %d %s", got.status, got.body)
		}
		checkHeaders(t, got.header)
	}
	if got := p.signedIn(); len(got) != 1 || got[0].Kind != keyfob.KindLink || got[0].Purpose != "login" {
		t.Errorf("Done got %+v", got)
	}
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy: %q", policy)
	}
}

func TestParallelRedeems(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Pause = -1 })
	b := p.browser()
	const rounds, racers = 20, 64
	for range rounds {
		m := b.ask("alice@example.com")
		statuses := make(chan int, racers)
		var group sync.WaitGroup
		for range racers {
			group.Go(func() { statuses <- b.redeem(m).status })
		}
		group.Wait()
		close(statuses)
		count := map[int]int{}
		for s := range statuses {
			count[s]++
		}
		if count[http.StatusOK] != 1 || count[http.StatusForbidden] != racers-1 {
			t.Fatalf("%v", count)
		}
	}
	if n := len(p.signedIn()); n != rounds {
		t.Errorf("%d times Done, want %d", n, rounds)
	}
}

// Whether there is an account, no answer tells: it is there before anybody looks.
func TestRequestTellsNothing(t *testing.T) {
	look := make(chan struct{})
	p := newApp(t, func(c *link.Config) {
		find := c.Find
		c.Find = func(ctx context.Context, typed string) (link.Account, error) {
			<-look
			return find(ctx, typed)
		}
	})
	b := p.browser()
	known := b.post("/forgot", url.Values{"email": {"alice@example.com"}})
	unknown := b.post("/forgot", url.Values{"email": {"nobody@example.com"}})
	close(look)
	<-p.mails
	again := b.post("/forgot", url.Values{"email": {"alice@example.com"}}) // a moment later: no mail
	for name, got := range map[string]answer{"unknown": unknown, "again": again} {
		known.header.Del("Date")
		got.header.Del("Date")
		if got.status != known.status || got.body != known.body || !sameHeader(got.header, known.header) {
			t.Errorf("%s: %d %v %s\nknown: %d %v %s", name, got.status, got.header, got.body, known.status, known.header, known.body)
		}
	}
	if known.status != http.StatusAccepted {
		t.Errorf("%d", known.status)
	}
	if err := p.flow.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(p.mails) != 0 || len(p.failed) != 0 {
		t.Errorf("%d mails and %d failures more", len(p.mails), len(p.failed))
	}
}

func sameHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		if a.Get(name) != b.Get(name) {
			return false
		}
	}
	return true
}

// Nothing that a request says gets into a link.
func TestPoisoning(t *testing.T) {
	p := newApp(t, func(c *link.Config) { c.Pause = -1 })
	b := p.browser()
	form := url.Values{"email": {"alice@example.com"}}
	poison := map[string]func(*http.Request){
		"Host":             func(r *http.Request) { r.Host = "evil.example" },
		"X-Forwarded-Host": func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") },
		"Forwarded":        func(r *http.Request) { r.Header.Set("Forwarded", "host=evil.example;proto=http") },
		"absolute URI":     func(r *http.Request) { r.URL.Opaque = "https://evil.example/forgot" },
		"query":            func(r *http.Request) { r.URL.RawQuery = "base=https://evil.example" },
	}
	for name, change := range poison {
		r := b.request("POST", "/forgot", form)
		change(r)
		if got := b.do(r); got.status != http.StatusAccepted || strings.Contains(got.body, "evil") {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		if m := <-p.mails; !strings.HasPrefix(m.URL.Reveal(), "https://app.example/in?token=") {
			t.Errorf("%s: the link begins otherwise", name)
		}
		if got := <-p.opened(b, change); strings.Contains(got.body, "evil") {
			t.Errorf("%s: the page has it: %s", name, got.body)
		}
	}
}

// opened is the page of a new link, asked for with a changed request.
func (p *app) opened(b *browser, change func(*http.Request)) <-chan answer {
	r := b.request("GET", pathOf(b.ask("bob@example.com")), nil)
	path := r.URL.Path
	change(r)
	if r.URL.Opaque != "" {
		r.URL.Opaque = "https://evil.example" + path
	}
	c := make(chan answer, 1)
	c <- b.do(r)
	return c
}

func TestOtherTokens(t *testing.T) {
	p := newApp(t, nil)
	b := p.browser()
	other, err := p.a.Issue(t.Context(), keyfob.Link{Subject: "alice", Purpose: "invite", TTL: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	key, err := p.a.Issue(t.Context(), keyfob.APIKey{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	expired := b.ask("alice@example.com")
	p.clock.Advance(time.Hour)
	for name, text := range map[string]string{
		"another purpose's": other.Secret.Reveal(), "an API key": key.Secret.Reveal(), "expired": tokenOf(expired),
		"none": "", "markup": `"><script>alert(1)</script>`, "long": strings.Repeat("x", 600),
	} {
		for how, got := range map[string]answer{
			"GET": b.get("/in?token=" + url.QueryEscape(text)), "POST": b.post("/in", url.Values{"token": {text}}),
		} {
			if got.status != http.StatusForbidden || strings.Contains(got.body, "<script") || text != "" && strings.Contains(got.body, text) {
				t.Errorf("%s, %s: %d %s", name, how, got.status, got.body)
			}
		}
	}
	if _, err := p.a.Redeem(t.Context(), keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "invite", Secret: other.Secret}); err != nil {
		t.Errorf("the other purpose's link was used up: %v", err)
	}
	if len(p.signedIn()) != 0 {
		t.Error("Done was called")
	}
}

// Requests that are not a form of this site do nothing.
func TestRefusedRequests(t *testing.T) {
	p := newApp(t, nil)
	b := p.browser()
	m := b.ask("alice@example.com")
	form := url.Values{"token": {tokenOf(m)}}
	tests := map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"cross-site":         {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		"same-site":          {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, http.StatusForbidden},
		"an older browser's": {func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		"PUT":                {func(r *http.Request) { r.Method = "PUT" }, http.StatusMethodNotAllowed},
		"in the query":       {func(r *http.Request) { r.URL.RawQuery = form.Encode(); r.Body, r.ContentLength = http.NoBody, 0 }, http.StatusForbidden},
		"JSON":               {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, http.StatusForbidden},
	}
	for name, test := range tests {
		r := b.request("POST", "/in", form)
		test.change(r)
		if got := b.do(r); got.status != test.want {
			t.Errorf("%s: %d, want %d", name, got.status, test.want)
		}
	}
	for name, form := range map[string]url.Values{
		"twice": {"token": {tokenOf(m), tokenOf(m)}}, "none": {}, "long": {"token": {strings.Repeat("x", 1000)}},
	} {
		if got := b.post("/in", form); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := b.post("/in", url.Values{"token": {tokenOf(m)}, "more": {strings.Repeat("x", 10_000)}}); got.status != http.StatusBadRequest {
		t.Errorf("large: %d", got.status)
	}
	for name, form := range map[string]url.Values{
		"none": {}, "twice": {"email": {"a", "b"}}, "empty": {"email": {""}}, "long": {"email": {strings.Repeat("x", 513)}},
	} {
		if got := b.post("/forgot", form); got.status != http.StatusBadRequest {
			t.Errorf("forgot, %s: %d", name, got.status)
		}
	}
	if len(p.signedIn()) != 0 {
		t.Error("Done was called")
	}
	if got := b.redeem(m); got.status != http.StatusOK {
		t.Errorf("the link was used up: %d", got.status)
	}
}

// Each handler has its methods, whatever they are mounted at.
func TestMethods(t *testing.T) {
	p := newApp(t, nil)
	m := p.browser().ask("alice@example.com")
	for _, test := range []struct {
		h       http.Handler
		allow   string
		methods []string
	}{
		{p.flow.Request(), "POST", []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"}},
		{p.flow.Redeem(), "POST", []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"}},
		{p.flow.Confirm(), "GET, HEAD", []string{"POST", "PUT", "PATCH", "DELETE"}},
	} {
		for _, method := range test.methods {
			r := httptest.NewRequest(method, pathOf(m), strings.NewReader("email=bob%40example.com&token="+tokenOf(m)))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			test.h.ServeHTTP(w, r)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != test.allow {
				t.Errorf("%s of what takes %s: %d, Allow %q", method, test.allow, w.Code, w.Header().Get("Allow"))
			}
		}
	}
	if got := p.browser().redeem(m); got.body != "hello alice" {
		t.Errorf("the link was used up: %d", got.status)
	}
}

func TestStoreDown(t *testing.T) {
	p := newApp(t, nil)
	b := p.browser()
	m := b.ask("alice@example.com")
	if err := p.a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for how, got := range map[string]answer{"GET": b.get(pathOf(m)), "POST": b.redeem(m)} {
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d", how, got.status)
		}
	}
	if got := b.post("/forgot", url.Values{"email": {"alice@example.com"}}); got.status != http.StatusAccepted {
		t.Errorf("%d", got.status)
	}
	if err := <-p.failed; !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("Failed got %v", err)
	}
}
