// Package link has net/http handlers for links that are mailed: to reset a
// password, to sign in, to verify an address, to accept an invitation.
//
//	reset, err := link.New(link.Config{
//		Verbs:   a, // an Authority, or a client of a server
//		Purpose: "password-reset",
//		Base:    "https://app.example/reset",
//		Find:    findAccount, // who has that address?
//		Mail:    mail,        // sends Message.URL
//		Done:    newPassword, // what comes after
//	})
//	mux.Handle("POST /forgot", reset.Request())
//	mux.Handle("GET /reset", reset.Confirm())
//	mux.Handle("POST /reset", reset.Redeem())
//
// # What each does
//
// Request takes an address from a form, and answers everybody with the same 202 in
// the same time: whether there is an account is found out afterwards, beside the
// request. A mail goes to the address that the account has, and never to what was
// typed.
//
// Confirm is the page that the link opens. It consumes nothing, so that scanners
// of mail and previews do no harm; its form posts the token to Redeem, which
// consumes it, and then calls Config.Done.
//
// The link begins with Config.Base, and nothing of it comes from a request: no
// Host, no X-Forwarded-Host.
//
// # Sign-in
//
// With Config.Bind a link works in the browser that asked for it, which has a
// cookie for that. In another one the page asks for the code that is in the same
// mail: a link that leaked from a history, a log or a Referer signs nobody in.
//
// # What the token must not get into
//
// It is in the link's query, by nature. The pages have Referrer-Policy:
// no-referrer, Cache-Control: no-store and nothing from elsewhere, and no handler
// here logs anything of a request. If you log requests, log r.URL.Path and never
// r.URL; have a proxy do the same.
//
// # Cross-site requests
//
// Request and Redeem refuse, with 403, what a browser says another site sent
// (http.CrossOriginProtection): nobody is signed in to a stranger's account. A
// browser that does not send Sec-Fetch-Site (Safari before 16.4) cannot redeem: the
// form of a page with no-referrer comes with Origin: null, which anybody's would.
package link

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// A Config says what a Flow does.
type Config struct {
	// Verbs issue and redeem: an *keyfob.Authority or a *client.Client. Required.
	Verbs keyfob.Verbs

	// Purpose of the links, as keyfob.Link has it. Required.
	Purpose string

	// Base is the absolute URL of Confirm and Redeem, without query and fragment;
	// https, or http on a loopback host. Required.
	Base string

	// Find returns the account that what was typed into the form belongs to; the
	// zero Account if there is none. Required.
	Find func(ctx context.Context, typed string) (Account, error)

	// Mail sends a message. It should give up when ctx ends. Required.
	Mail func(ctx context.Context, m Message) error

	// Done answers the request that has redeemed a link, whose credential it gets:
	// it signs c.Subject in, or asks for a new password. Required.
	Done func(w http.ResponseWriter, r *http.Request, c keyfob.Credential)

	// Failed is told what kept a mail from being sent; nil is a line of
	// slog.Default. The link is not in it.
	Failed func(err error)

	// Bind has a link work only in the browser that asked for it; others are asked
	// for a code that is mailed with it.
	Bind bool

	// ClientIP returns the address that a request comes from, as bearer.Config has it,
	// so that guesses at codes are counted for it as well. nil: they are not.
	ClientIP func(*http.Request) netip.Addr

	// Field is the name of the form's field; empty is "email".
	Field string

	// TTL is how long a link lives, as keyfob.Link has it.
	TTL time.Duration

	// Pause is the time between two mails to one subject, as keyfob.Link has it; 0 is
	// a minute, negative is none. With Bind it is half a minute at least, which codes
	// need. Who asks again meanwhile gets the same answer, and no mail.
	Pause time.Duration

	// Page makes the pages; nil is a plain one in English. It is executed with a
	// Page.
	Page *template.Template
}

// An Account is whom a mail goes to. Its zero value is nobody.
type Account struct {
	Subject string // as keyfob.Link has it
	Address string // the one that the account has, not the one that was typed
}

// A Message is what is mailed.
type Message struct {
	Account Account
	URL     keyfob.Secret // the link
	Code    keyfob.Secret // with Config.Bind: to be typed in another browser; else empty
	Expires time.Time     // when the link does; the code lives for ten minutes at most
}

// Bounds of what runs beside requests.
const (
	workers  = 4
	queued   = 1024
	workTime = 30 * time.Second
)

// Bounds that keyfob.Link has as well, where only the mails would tell of them.
const (
	maxTTL   = 30 * 24 * time.Hour
	maxPause = 24 * time.Hour
)

// A Flow is the handlers of one purpose. It is safe for concurrent use.
type Flow struct {
	config Config
	base   url.URL
	origin *http.CrossOriginProtection
	jobs   chan job

	closing sync.RWMutex // held for reading while a job is handed over
	closed  bool
	running sync.WaitGroup
	stop    context.CancelFunc
}

// New starts a Flow; Close ends it. The error says which field of config is wrong.
func New(config Config) (*Flow, error) {
	base, err := checkBase(config.Base)
	if err != nil {
		return nil, err
	}
	if config.Verbs == nil || config.Find == nil || config.Mail == nil || config.Done == nil {
		return nil, errors.New("link: Config needs Verbs, Find, Mail and Done")
	}
	if err := keyfob.CheckPurpose(config.Purpose); err != nil {
		return nil, fmt.Errorf("link: Config.Purpose: %w", err)
	}
	if config.TTL < 0 || config.TTL > maxTTL {
		return nil, fmt.Errorf("link: Config.TTL is %v; it is up to %v, or 0 for an hour", config.TTL, maxTTL)
	}
	if config.Pause > maxPause {
		return nil, fmt.Errorf("link: Config.Pause is %v; it is up to %v, or negative for none", config.Pause, maxPause)
	}
	if config.Field == "" {
		config.Field = "email"
	}
	if config.Field == fieldToken || config.Field == fieldCode {
		return nil, fmt.Errorf("link: Config.Field is %q, which is taken; choose another", config.Field)
	}
	if config.Pause == 0 {
		config.Pause = time.Minute
	}
	if config.Bind {
		// A link that came sooner would end one that was mailed, and have no code to be
		// mailed with.
		config.Pause = max(config.Pause, keyfob.CodePause)
	}
	if config.Page == nil {
		config.Page = plainPage
	}
	if config.Failed == nil {
		config.Failed = func(err error) {
			slog.Error("link: a mail was not sent", "purpose", config.Purpose, "error", err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &Flow{
		config: config, base: *base, stop: stop,
		origin: http.NewCrossOriginProtection(), jobs: make(chan job, queued),
	}
	for range workers {
		f.running.Go(func() { f.work(ctx) })
	}
	return f, nil
}

// checkBase refuses what would send tokens in the clear, or to nowhere.
func checkBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("link: Config.Base is no URL; give one such as https://app.example/reset")
	}
	safe := base.Scheme == "https" || base.Scheme == "http" && isLoopback(base.Hostname())
	switch {
	case base.Host == "" || base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" || strings.HasSuffix(text, "#"):
		return nil, errors.New("link: Config.Base is not scheme, host and path alone, such as https://app.example/reset")
	case !safe:
		return nil, errors.New("link: Config.Base is not https; plain http is for loopback hosts")
	}
	return base, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close waits for the mails that were asked for, until ctx ends; then it gives up
// the others. Requests that come later are answered with 503.
func (f *Flow) Close(ctx context.Context) error {
	f.closing.Lock()
	if !f.closed {
		f.closed = true
		close(f.jobs)
	}
	f.closing.Unlock()
	done := make(chan struct{})
	go func() {
		f.running.Wait()
		close(done)
	}()
	defer f.stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("link: mails were left: %w", ctx.Err())
	}
}
