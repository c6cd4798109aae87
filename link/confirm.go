package link

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/keyfob-dev/keyfob"
)

// Fields of the link's query and of the form on the page that it opens.
const (
	fieldToken = "token"
	fieldCode  = "code"
)

// Confirm is the handler of the page that a link opens (GET, HEAD). It consumes
// nothing. It answers 403 to a link that is not valid, for whatever reason, and
// 503 when that cannot be decided.
func (f *Flow) Confirm() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			f.answer(w, http.StatusMethodNotAllowed, Page{Kind: PageWrong})
			return
		}
		tokens := r.URL.Query()[fieldToken]
		if len(tokens) != 1 {
			f.answer(w, http.StatusForbidden, Page{Kind: PageInvalid})
			return
		}
		_, err := f.config.Verbs.Inspect(r.Context(), f.attempt(r, tokens[0]))
		f.show(w, tokens[0], err)
	})
}

// Redeem is the handler that takes the form of that page (POST), redeems the link
// and calls Config.Done. It answers as Confirm does when there is nothing to
// redeem. The token is looked for in the form alone.
func (f *Flow) Redeem() http.Handler { return f.post(f.redeem) }

func (f *Flow) redeem(w http.ResponseWriter, r *http.Request) {
	text, ok := formValue(r, fieldToken)
	if !ok {
		f.answer(w, http.StatusForbidden, Page{Kind: PageInvalid})
		return
	}
	c, err := f.config.Verbs.Redeem(r.Context(), f.attempt(r, text))
	if f.config.Bind && errors.Is(err, keyfob.ErrBinding) {
		if code, ok := formValue(r, fieldCode); ok {
			c, err = f.redeemCode(r.Context(), f.attempt(r, text), code)
			if errors.Is(err, errCode) {
				f.answer(w, http.StatusForbidden, Page{Kind: PageCode, Token: text, Again: true})
				return
			}
		}
	}
	if err != nil {
		f.show(w, text, err)
		return
	}
	if f.config.Bind {
		unbind(w)
	}
	setHeaders(w.Header())
	f.config.Done(w, r, c)
}

// errCode: the code that was typed is not valid.
var errCode = errors.New("the code is not valid")

// redeemCode takes the code in the place of the cookie that this browser lacks. The
// link that is still good says whose it is; it ends with the code.
func (f *Flow) redeemCode(ctx context.Context, attempt keyfob.Attempt, code string) (keyfob.Credential, error) {
	of, err := f.config.Verbs.Inspect(ctx, attempt)
	if !errors.Is(err, keyfob.ErrBinding) {
		return keyfob.Credential{}, cmp.Or(err, errCode) // it ended meanwhile
	}
	c, err := f.config.Verbs.Redeem(ctx, keyfob.Attempt{
		Kind: keyfob.KindCode, Subject: of.Subject, Purpose: f.config.Purpose, Secret: keyfob.NewSecret(code), IP: attempt.IP,
	})
	if errors.Is(err, keyfob.ErrInvalid) {
		return keyfob.Credential{}, errCode
	}
	if err != nil {
		return keyfob.Credential{}, err
	}
	// The sign-in is decided, also when the browser is gone by now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime)
	defer cancel()
	f.endLinks(ctx, of)
	return c, nil
}

// endLinks ends a link, and its siblings, in the place of which a code was redeemed.
// What cannot be ended is still bound to the other browser, and to its time.
func (f *Flow) endLinks(ctx context.Context, of keyfob.Credential) {
	const reason = "redeemed by its code"
	_ = f.config.Verbs.Revoke(ctx, of.ID, reason)
	page, err := f.config.Verbs.List(ctx, keyfob.Filter{
		Kind: keyfob.KindLink, Subject: of.Subject, Purpose: f.config.Purpose, States: []keyfob.State{keyfob.StateActive},
	})
	if err != nil {
		return
	}
	for _, sibling := range page.Items {
		_ = f.config.Verbs.Revoke(ctx, sibling.ID, reason)
	}
}

// attempt is what a request presents.
func (f *Flow) attempt(r *http.Request, text string) keyfob.Attempt {
	a := keyfob.Attempt{Kind: keyfob.KindLink, Purpose: f.config.Purpose, Secret: keyfob.NewSecret(text)}
	if f.config.Bind {
		a.Binding = boundTo(r)
	}
	if f.config.ClientIP != nil {
		a.IP = f.config.ClientIP(r)
	}
	return a
}

// show answers with the page that fits what is known of a link.
func (f *Flow) show(w http.ResponseWriter, text string, err error) {
	switch {
	case err == nil:
		f.answer(w, http.StatusOK, Page{Kind: PageConfirm, Token: text})
	case f.config.Bind && errors.Is(err, keyfob.ErrBinding):
		f.answer(w, http.StatusOK, Page{Kind: PageCode, Token: text})
	case errors.Is(err, keyfob.ErrInvalid):
		f.answer(w, http.StatusForbidden, Page{Kind: PageInvalid})
	default:
		w.Header().Set("Retry-After", "1")
		f.answer(w, http.StatusServiceUnavailable, Page{Kind: PageBusy})
	}
}
