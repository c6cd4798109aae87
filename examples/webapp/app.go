package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/bearer"
	"github.com/keyfob-dev/keyfob/csrf"
	"github.com/keyfob-dev/keyfob/link"
	"github.com/keyfob-dev/keyfob/passhash"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store/sqlite"
	"github.com/keyfob-dev/keyfob/token"
)

// An app is everything that the handlers work with.
type app struct {
	now     func() time.Time
	records *sqlite.Store
	auth    *keyfob.Authority // on records
	guard   *csrf.Guard
	users   *users
	mail    mailbox
	signUp  *link.Flow
	reset   *link.Flow
	noHash  string // of a password that nobody knows
}

// open makes what a data folder lacks. Links in mails begin with base.
func open(ctx context.Context, data, base string, now func() time.Time) (*app, error) {
	a := &app{now: now, mail: mailbox{dir: filepath.Join(data, "mail")}}
	if err := os.MkdirAll(a.mail.dir, 0o700); err != nil {
		return nil, err
	}
	rootKey, err := openRootKey(filepath.Join(data, "root.key"))
	if err != nil {
		return nil, err
	}
	if a.guard, err = newGuard(rootKey, now); err != nil {
		return nil, err
	}
	if a.records, err = sqlite.Open(filepath.Join(data, "keyfob.db")); err != nil {
		return nil, err
	}
	if a.auth, err = keyfob.Open(ctx, keyfob.Config{Store: a.records, RootKey: rootKey, Now: now}); err != nil {
		return nil, err
	}
	if a.users, err = openUsers(ctx, filepath.Join(data, "users.db")); err != nil {
		return nil, err
	}
	if a.noHash, err = passhash.Hash(ctx, token.Random()); err != nil {
		return nil, err
	}
	if a.signUp, err = a.flow("sign-up", base+"/welcome", a.findForSignUp, a.mailSignUp); err != nil {
		return nil, err
	}
	a.reset, err = a.flow("password-reset", base+"/reset", a.findForReset, a.mailReset)
	return a, err
}

// openRootKey makes the key at the first start. Keep it out of the backups of the
// database: without it nobody can do anything with those.
func openRootKey(path string) (keyfob.RootKey, error) {
	key, err := keyfob.CreateRootKey(path)
	if errors.Is(err, fs.ErrExist) {
		return keyfob.ReadRootKey(path)
	}
	return key, err
}

// newGuard keeps other sites' forms out. Its keys are the root key's, so there is no
// other secret to keep.
func newGuard(rootKey keyfob.RootKey, now func() time.Time) (*csrf.Guard, error) {
	secrets, err := rootKey.CSRF()
	if err != nil {
		return nil, err
	}
	var keys []csrf.Key
	for _, secret := range secrets {
		key, err := csrf.NewKey(secret, csrf.Config{})
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return csrf.Protect(csrf.Protection{
		Keys: keys, Session: session.Binding, Now: now,
		// A page behind a mailed link tells nobody its address, so its form does not
		// say where it comes from. The link's token does that, which nobody else has;
		// and package link refuses what a browser says another site sent.
		Exempt: []string{"POST /welcome", "POST /reset"},
	}), nil
}

// close lets the mails go out that were asked for, and closes what they need after.
func (a *app) close(ctx context.Context) error {
	return errors.Join(a.signUp.Close(ctx), a.reset.Close(ctx), a.auth.Close(ctx), a.records.Close(), a.users.db.Close())
}

// handler is the whole site.
func (a *app) handler() http.Handler {
	pages := http.NewServeMux()
	a.publicPages(pages)
	a.privatePages(pages)
	sessions := session.New(a.auth, session.Config{SignIn: "/signin", Now: a.now})
	site := http.NewServeMux()
	site.HandleFunc("GET /style.css", serveStyle)
	site.Handle("/", sessions.Handler(a.guard.Handler(pages)))
	// Programs have no cookie that a stranger's page could use, so what they call
	// stands beside the protection for browsers.
	site.Handle("GET /api/me", bearer.Require(a.auth, "read")(a.handle(a.apiMe)))
	return http.MaxBytesHandler(site, 64<<10)
}

func (a *app) publicPages(mux *http.ServeMux) {
	mux.Handle("GET /signup", a.page("signup"))
	mux.Handle("POST /signup", a.signUp.Request())
	mux.Handle("GET /welcome", a.signUp.Confirm())
	mux.Handle("POST /welcome", a.checkPassword(a.signUp.Redeem()))
	mux.Handle("GET /signin", a.page("signin"))
	mux.Handle("POST /signin", a.handle(a.signIn))
	mux.Handle("GET /signin/code", a.handle(a.askCode))
	mux.Handle("POST /signin/code", a.handle(a.signInCode))
	mux.Handle("GET /forgot", a.page("forgot"))
	mux.Handle("POST /forgot", a.reset.Request())
	mux.Handle("GET /reset", a.reset.Confirm())
	mux.Handle("POST /reset", a.checkPassword(a.reset.Redeem()))
	mux.Handle("POST /signout", a.handle(a.signOut))
	mux.Handle("GET /mail", a.handle(a.showMail))
}

func (a *app) privatePages(mux *http.ServeMux) {
	for pattern, do := range map[string]action{
		"GET /{$}": a.home,

		"GET /sessions":          a.showSessions,
		"POST /sessions/end":     a.endSession,
		"POST /sessions/end-all": a.endAllSessions,

		"GET /totp":          a.showTOTP,
		"POST /totp/enroll":  a.enrollTOTP,
		"POST /totp/confirm": a.confirmTOTP,
		"POST /totp/off":     a.endTOTP,

		"GET /keys":         a.showKeys,
		"POST /keys/issue":  a.issueKey,
		"POST /keys/revoke": a.revokeKey,
	} {
		mux.Handle(pattern, session.Require(a.handle(do)))
	}
}

// purgeDaily removes what ended more than a week ago. Nothing hangs on it: what has
// ended is refused, with its row and without.
func (a *app) purgeDaily(ctx context.Context) {
	day := time.NewTicker(24 * time.Hour)
	defer day.Stop()
	for {
		if err := a.purge(ctx, a.now().Add(-7*24*time.Hour)); err != nil && ctx.Err() == nil {
			slog.Error("purge", "error", err)
		}
		select {
		case <-day.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) purge(ctx context.Context, before time.Time) error {
	errs := []error{a.users.purge(ctx, before)}
	for _, kind := range []keyfob.Kind{keyfob.KindSession, keyfob.KindLink, keyfob.KindTOTP, keyfob.KindRecovery, keyfob.KindAPIKey} {
		_, err := a.auth.Purge(ctx, kind, before)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
