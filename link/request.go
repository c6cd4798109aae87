package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// A job is what a request leaves to be done beside it.
type job struct {
	typed   string
	binding string
}

// Request is the handler that takes an address from a form (POST,
// application/x-www-form-urlencoded) and has a link mailed. Whatever becomes of
// that, it answers 202. It answers 400 to a form without the field, and 503 when
// too many mails wait, which is so for everybody.
func (f *Flow) Request() http.Handler { return f.post(f.request) }

func (f *Flow) request(w http.ResponseWriter, r *http.Request) {
	typed, ok := formValue(r, f.config.Field)
	if !ok {
		f.answer(w, http.StatusBadRequest, Page{Kind: PageWrong})
		return
	}
	j := job{typed: typed}
	if f.config.Bind {
		j.binding = f.bind(w, r)
	}
	if !f.hand(j) {
		w.Header().Set("Retry-After", "10")
		f.answer(w, http.StatusServiceUnavailable, Page{Kind: PageBusy})
		return
	}
	f.answer(w, http.StatusAccepted, Page{Kind: PageSent})
}

// hand leaves a job to the workers, if there is room for it.
func (f *Flow) hand(j job) bool {
	f.closing.RLock()
	defer f.closing.RUnlock()
	if f.closed {
		return false
	}
	select {
	case f.jobs <- j:
		return true
	default:
		return false
	}
}

// settle is how long a job waits: until its request is answered for certain, or the
// work for an account beside it would show in the time of the answer.
const settle = 20 * time.Millisecond

// work does jobs until there are no more.
func (f *Flow) work(ctx context.Context) {
	for j := range f.jobs {
		time.Sleep(settle)
		if err := f.do(ctx, j); err != nil {
			f.config.Failed(err)
		}
	}
}

// do finds the account and mails its link. A panic of the application's is an
// error: the worker goes on.
func (f *Flow) do(ctx context.Context, j job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("link: Find or Mail panicked with a value of type %T", v)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	account, err := f.config.Find(ctx, j.typed)
	if err != nil {
		return fmt.Errorf("link: find an account: %w", err)
	}
	if account == (Account{}) {
		return nil
	}
	m, err := f.issue(ctx, account, j.binding)
	if err != nil || m.URL.Reveal() == "" {
		return err
	}
	if err := f.config.Mail(ctx, m); err != nil {
		return &mailError{err, m}
	}
	return nil
}

// issue makes what is mailed; nothing where something was a moment ago.
func (f *Flow) issue(ctx context.Context, account Account, binding string) (Message, error) {
	issued, err := f.config.Verbs.Issue(ctx, keyfob.Link{
		Subject: account.Subject, Purpose: f.config.Purpose, TTL: f.config.TTL, Binding: binding, Pause: max(f.config.Pause, 0),
	})
	if errors.Is(err, keyfob.ErrTooSoon) {
		return Message{}, nil
	}
	if err != nil {
		return Message{}, fmt.Errorf("link: issue a link: %w", err)
	}
	address := f.base
	address.RawQuery = fieldToken + "=" + issued.Secret.Reveal() // which needs no escape
	m := Message{Account: account, URL: keyfob.NewSecret(address.String()), Expires: issued.Credential.Expires}
	if f.config.Bind {
		code, err := f.config.Verbs.Issue(ctx, keyfob.Code{Subject: account.Subject, Purpose: f.config.Purpose})
		if errors.Is(err, keyfob.ErrTooSoon) {
			// Nobody gets this link; it must not hold the next one up.
			return Message{}, f.config.Verbs.Revoke(ctx, issued.Credential.ID, "no code to go with it")
		}
		if err != nil {
			return Message{}, fmt.Errorf("link: issue a code: %w", err)
		}
		m.Code = code.Secret
	}
	return m, nil
}

// A mailError is an error of Config.Mail, which may quote the message.
type mailError struct {
	err     error
	message Message
}

func (e *mailError) Error() string {
	text := "link: send a mail: " + e.err.Error()
	url := e.message.URL.Reveal()
	_, token, _ := strings.Cut(url, "=")
	for _, secret := range []string{url, token, e.message.Code.Reveal()} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, e.message.URL.String())
		}
	}
	return text
}
