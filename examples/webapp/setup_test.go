package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/launcher"
	"github.com/go-rod/rod/lib/proto"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/passhash"
)

// patience is how long a page may take to show what is waited for.
const patience = time.Minute

// chromium is the one browser process of all tests; contexts in it share nothing.
var chromium struct {
	once    sync.Once
	process *launcher.Launcher
	browser *rod.Browser
	err     error
}

var logged lockedBuffer // what the application and its packages log, in all tests

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	code := m.Run()
	if chromium.process != nil {
		chromium.process.Kill()
		chromium.process.Cleanup()
	}
	os.Exit(code)
}

// A lockedBuffer is a buffer for many writers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startChromium starts the browser that is installed; none is ever downloaded.
func startChromium(t *testing.T) *rod.Browser {
	t.Helper()
	path := needs.Binary(t, "chromium", "chromium")
	chromium.once.Do(func() {
		chromium.process = launcher.New().Bin(path).Leakless(false).NoSandbox(os.Geteuid() == 0)
		var url string
		if url, chromium.err = chromium.process.Launch(); chromium.err == nil {
			chromium.browser = rod.New().ControlURL(url).NoDefaultDevice()
			chromium.err = chromium.browser.Connect()
		}
	})
	if chromium.err != nil {
		t.Fatalf("chromium does not start: %v", chromium.err)
	}
	return chromium.browser
}

// A site is the application with data of its own, on a port of its own.
type site struct {
	t    *testing.T
	app  *app
	base string // http://localhost:PORT
	data string

	mu    sync.Mutex
	clock time.Time       // the application's
	posts []*http.Request // that arrived, without their bodies
}

func newSite(t *testing.T) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s := &site{t: t, base: "http://localhost:" + port, data: t.TempDir(), clock: time.Now()}
	if s.app, err = open(t.Context(), s.data, s.base, s.now); err != nil {
		t.Fatal(err)
	}
	handler := s.app.handler()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.mu.Lock()
			s.posts = append(s.posts, r.Clone(context.Background()))
			s.mu.Unlock()
		}
		handler.ServeHTTP(w, r)
	})}
	go server.Serve(listener)
	t.Cleanup(func() {
		server.Close()
		if err := s.app.close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// now moves the clock a little: what comes later is later, however long it takes.
func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Millisecond)
	return s.clock
}

// wait moves the application's clock.
func (s *site) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

// posted returns the requests of a path that were sent by POST.
func (s *site) posted(path string) (found []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.posts {
		if r.URL.Path == path {
			found = append(found, r)
		}
	}
	return found
}

// A browser is one that shares nothing with others, with one page open.
type browser struct {
	*rod.Page
	t    *testing.T
	site *site
}

func (s *site) browser() *browser {
	s.t.Helper()
	alone, err := startChromium(s.t).Incognito()
	if err != nil {
		s.t.Fatal(err)
	}
	page, err := alone.Page(proto.TargetCreateTarget{URL: "about:blank"})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &browser{t: s.t, site: s, Page: page.Context(ctx).WithPanic(func(v any) { s.t.Fatal(v) })}
	go b.EachEvent(func(e *proto.LogEntryAdded) {
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			s.t.Errorf("%s", e.Entry.Text)
		}
	})()
	s.t.Cleanup(func() {
		cancel()
		alone.Close()
	})
	return b
}

func (b *browser) must(err error) {
	b.t.Helper()
	if err != nil {
		text, _ := b.Timeout(time.Second).HTML()
		b.t.Fatalf("%v\nthe page is %s", err, text)
	}
}

// settled does what leads to another page, and waits until that is there.
func (b *browser) settled(do func(page *rod.Page) error) *browser {
	b.t.Helper()
	page := b.Timeout(patience)
	there := page.WaitEvent(&proto.PageFrameNavigated{})
	b.must(do(page))
	there()
	b.must(page.WaitLoad())
	return b
}

// visit goes to a path of the site, or to a whole URL.
func (b *browser) visit(where string) *browser {
	b.t.Helper()
	if strings.HasPrefix(where, "/") {
		where = b.site.base + where
	}
	return b.settled(func(page *rod.Page) error { return page.Navigate(where) })
}

// back presses the button of the browser.
func (b *browser) back() *browser {
	b.t.Helper()
	return b.settled(func(page *rod.Page) error { return page.NavigateBack() })
}

// lured goes to a page that leads on to the target by itself.
func (b *browser) lured(to, target string) *browser {
	b.t.Helper()
	page := b.Timeout(patience)
	there := page.EachEvent(func(e *proto.PageFrameNavigated) bool { return e.Frame.URL == target })
	b.must(page.Navigate(to))
	there()
	b.must(page.WaitLoad())
	return b
}

// fill types into an empty field.
func (b *browser) fill(name, text string) *browser {
	b.t.Helper()
	field, err := b.Timeout(patience).Element(`main input[name="` + name + `"]`)
	b.must(err)
	b.must(field.Input(text))
	return b
}

// press clicks what leads to another page.
func (b *browser) press(selector string) *browser {
	b.t.Helper()
	button, err := b.Timeout(patience).Element(selector)
	b.must(err)
	return b.settled(func(*rod.Page) error { return button.Click(proto.InputMouseButtonLeft, 1) })
}

// submit presses the button of the page's first form.
func (b *browser) submit() *browser {
	b.t.Helper()
	return b.press("main form button")
}

// text is what can be read on the page.
func (b *browser) text() string {
	b.t.Helper()
	body, err := b.Timeout(patience).Element("body")
	b.must(err)
	text, err := body.Text()
	b.must(err)
	return text
}

func (b *browser) shows(want string) *browser {
	b.t.Helper()
	if text := b.text(); !strings.Contains(text, want) {
		b.t.Fatalf("at %s it says\n%s\nwant %q", b.at(), text, want)
	}
	return b
}

// at is the path of the page.
func (b *browser) at() string {
	b.t.Helper()
	info, err := b.Timeout(patience).Info()
	b.must(err)
	path, _, _ := strings.Cut(strings.TrimPrefix(info.URL, b.site.base), "?")
	return path
}

// all is the texts of all elements.
func (b *browser) all(selector string) (texts []string) {
	b.t.Helper()
	elements, err := b.Timeout(patience).Elements(selector)
	b.must(err)
	for _, e := range elements {
		text, err := e.Text()
		b.must(err)
		texts = append(texts, text)
	}
	return texts
}

// cookie returns the cookie of that name; empty if the browser has none.
func (b *browser) cookie(name string) string {
	b.t.Helper()
	cookies, err := b.Timeout(patience).Cookies([]string{b.site.base})
	b.must(err)
	for _, c := range cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// sessionCookie is the cookie of package session.
const sessionCookie = "__Host-session"

// signedIn says as whom the browser is signed in; empty: it is not.
func (b *browser) signedIn() string {
	b.t.Helper()
	b.visit("/")
	if who := b.all("#me"); len(who) == 1 {
		return who[0]
	}
	if at := b.at(); at != "/signin" {
		b.t.Fatalf("who is not signed in was led to %s", at)
	}
	return ""
}

// mailed opens the page of mails until there is one with the text to the address, and
// returns its link.
func (b *browser) mailed(to, text string) string {
	b.t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); {
		b.visit("/mail")
		letters, err := b.Elements(".letter")
		b.must(err)
		for _, letter := range letters {
			content, err := letter.Text()
			b.must(err)
			if !strings.HasPrefix(content, "To: "+to+"\n") || !strings.Contains(content, text) {
				continue
			}
			has, a, err := letter.Has("a")
			b.must(err)
			if !has {
				return ""
			}
			href, err := a.Attribute("href")
			b.must(err)
			return *href
		}
	}
	b.t.Fatalf("no mail to %s with %q came", to, text)
	return ""
}

// Passwords and addresses of the tests.
const (
	alice, mallory = "alice@example.com", "mallory@example.com"

	password, otherPassword = "correct horse battery", "staple of another horse"
)

// signIn types address and password.
func (b *browser) signIn(email, password string) *browser {
	b.t.Helper()
	return b.visit("/signin").fill("email", email).fill("password", password).submit()
}

// account is a new account, with a browser that is signed in.
func (s *site) account(email string) *browser {
	s.t.Helper()
	u, err := s.app.users.add(s.t.Context(), email, s.now())
	if err != nil {
		s.t.Fatal(err)
	}
	hash, err := passhash.Hash(s.t.Context(), password)
	if err == nil {
		err = s.app.users.setHash(s.t.Context(), u.ID, hash)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser().signIn(email, password)
	if b.at() != "/" {
		s.t.Fatalf("the sign-in led to %s: %s", b.at(), b.text())
	}
	return b
}

// reset has a link for a new password mailed, and returns it.
func (b *browser) reset(email string) string {
	b.t.Helper()
	b.visit("/forgot").fill("email", email).submit().shows("A mail is on its way")
	return b.mailed(email, "Subject: A new password")
}

// An authenticator is an app on somebody's phone, whose clock is the site's.
type authenticator struct {
	site *site
	seed otp.Seed
}

// enroll sets up a second factor, and returns the app and the recovery codes.
func (b *browser) enroll() (authenticator, []string) {
	b.t.Helper()
	b.visit("/totp").press("#enroll")
	seed, err := otp.ParseSeed(b.all("#secret")[0])
	b.must(err)
	app := authenticator{b.site, seed}
	b.fill("code", app.code()).press("#confirm").shows("The second factor is on")
	return app, b.all(".recovery")
}

// enrolled sets up a second factor without a browser.
func (s *site) enrolled(email string) authenticator {
	s.t.Helper()
	u, err := s.app.users.byEmail(s.t.Context(), email)
	if err != nil {
		s.t.Fatal(err)
	}
	issued, err := s.app.auth.Issue(s.t.Context(), keyfob.TOTP{Subject: u.ID, Account: email})
	if err != nil {
		s.t.Fatal(err)
	}
	seed, err := otp.ParseSeed(issued.Secret.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	app := authenticator{s, seed}
	attempt := keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: u.ID, Secret: keyfob.NewSecret(app.code())}
	if _, err := s.app.auth.Confirm(s.t.Context(), attempt); err != nil {
		s.t.Fatal(err)
	}
	return app
}

// code is the code of the next step: each is accepted once.
func (a authenticator) code() string {
	a.site.t.Helper()
	a.site.wait(30 * time.Second)
	code, err := otp.TOTP{}.Generate(a.seed, a.site.now())
	if err != nil {
		a.site.t.Fatal(err)
	}
	return code
}

// wrong is a code that is not valid now, and was not.
func (a authenticator) wrong() string {
	a.site.t.Helper()
	for n := range 1_000_000 {
		code := fmt.Sprintf("%06d", n)
		if _, err := (otp.TOTP{Skew: 10}).Verify(a.seed, code, a.site.now(), otp.Never()); err != nil {
			return code
		}
	}
	panic("every code is valid")
}

// onDisk returns the content of a site's files, but for the mails.
func (s *site) onDisk() string {
	s.t.Helper()
	var all strings.Builder
	paths, err := filepath.Glob(filepath.Join(s.data, "*.db*"))
	if err != nil || len(paths) < 2 {
		s.t.Fatalf("%q, %v", paths, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}
