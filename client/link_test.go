package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/link"
)

// TestLinkFlow has the package link work by a Client: who asks again within a minute
// gets the same answer, and no mail.
func TestLinkFlow(t *testing.T) {
	eachStore(t, func(e *env) {
		mails := make(chan link.Message, 10)
		flow, err := link.New(link.Config{
			Verbs: e.client(client.Config{}), Purpose: "login", Base: "https://app.example/in", Bind: true,
			Find: func(context.Context, string) (link.Account, error) {
				return link.Account{Subject: "alice", Address: "alice@example.com"}, nil
			},
			Mail: func(_ context.Context, m link.Message) error {
				mails <- m
				return nil
			},
			Done:   func(w http.ResponseWriter, _ *http.Request, c keyfob.Credential) { w.Write([]byte(c.Subject)) },
			Failed: func(err error) { e.Error(err) },
		})
		e.must(err)
		ask := func() *httptest.ResponseRecorder {
			return postForm(flow.Request(), url.Values{"email": {"alice@example.com"}})
		}
		first := ask()
		m := <-mails
		e.clock.Advance(59 * time.Second)
		if again := ask(); again.Code != first.Code || again.Body.String() != first.Body.String() {
			e.Errorf("again: %d %s", again.Code, again.Body)
		}
		e.must(flow.Close(e.Context())) // once what was asked for is done
		if len(mails) != 0 {
			e.Errorf("%d mails within a minute", len(mails))
		}
		address, err := url.Parse(m.URL.Reveal())
		e.must(err)
		form := url.Values{"token": address.Query()["token"]}
		if got := postForm(flow.Redeem(), form); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `name="code"`) {
			e.Errorf("in another browser: %d %s", got.Code, got.Body)
		}
		form.Set("code", m.Code.Reveal())
		if got := postForm(flow.Redeem(), form); got.Code != http.StatusOK || got.Body.String() != "alice" {
			e.Errorf("with the code: %d %s", got.Code, got.Body)
		}
		if got := postForm(flow.Redeem(), form); got.Code != http.StatusForbidden {
			e.Errorf("again: %d %s", got.Code, got.Body)
		}
	})
}

// postForm posts a form as a browser does, which has no cookie.
func postForm(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
