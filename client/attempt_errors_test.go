package client_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/token"
)

// wrongAttempts are calls about one-time secrets that are refused, of a Client as of
// an Authority.
var wrongAttempts = map[string]func(ctx context.Context, v keyfob.Verbs, e *env) error{
	"link, subject":       issueWrong(keyfob.Link{Purpose: "login"}),
	"link, purpose":       issueWrong(keyfob.Link{Subject: "a", Purpose: "Log in"}),
	"link, no purpose":    issueWrong(keyfob.Link{Subject: "a"}),
	"link, binding":       issueWrong(keyfob.Link{Subject: "a", Purpose: "login", Binding: "\xff"}),
	"link, ttl":           issueWrong(keyfob.Link{Subject: "a", Purpose: "login", TTL: 31 * 24 * time.Hour}),
	"link, ttl below":     issueWrong(keyfob.Link{Subject: "a", Purpose: "login", TTL: -time.Second}),
	"link, ttl too fine":  issueWrong(keyfob.Link{Subject: "a", Purpose: "login", TTL: time.Microsecond}),
	"link, pause":         issueWrong(keyfob.Link{Subject: "a", Purpose: "login", Pause: 24*time.Hour + time.Second}),
	"link, pause below":   issueWrong(keyfob.Link{Subject: "a", Purpose: "login", Pause: -time.Second}),
	"link, attribute":     issueWrong(&keyfob.Link{Subject: "a", Purpose: "login", Attributes: map[string]string{"": "x"}}),
	"code, ttl":           issueWrong(keyfob.Code{Subject: "a", Purpose: "login", TTL: 11 * time.Minute}),
	"code, chars":         issueWrong(keyfob.Code{Subject: "a", Purpose: "login", Chars: 11}),
	"code, few chars":     issueWrong(keyfob.Code{Subject: "a", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 5}),
	"code, many chars":    issueWrong(keyfob.Code{Subject: "a", Purpose: "login", Format: otp.FormatUnambiguous, Chars: 17}),
	"code, format":        issueWrong(keyfob.Code{Subject: "a", Purpose: "login", Format: otp.FormatRecovery}),
	"code, no format":     issueWrong(keyfob.Code{Subject: "a", Purpose: "login", Format: 99}),
	"totp, account":       issueWrong(keyfob.TOTP{Subject: "a"}),
	"totp, account, :":    issueWrong(&keyfob.TOTP{Subject: "a", Account: "a:b"}),
	"totp, issuer":        issueWrong(keyfob.TOTP{Subject: "a", Account: "a", Issuer: "a:b"}),
	"totp, issuer, UTF-8": issueWrong(keyfob.TOTP{Subject: "a", Account: "a", Issuer: "\xff"}),
	"totp, algorithm":     issueWrong(keyfob.TOTP{Subject: "a", Account: "a", Algorithm: 9}),
	"totp, name":          issueWrong(keyfob.TOTP{Subject: "a", Account: "a", Name: "a\nb"}),
	"recovery, subject":   issueWrong(&keyfob.Recovery{}),

	"redeem, kind":           redeemWrong(keyfob.Attempt{Kind: keyfob.KindAPIKey, Subject: "a"}),
	"redeem, no kind":        redeemWrong(keyfob.Attempt{Subject: "a"}),
	"redeem, subject":        redeemWrong(keyfob.Attempt{Kind: keyfob.KindLink, Subject: "a", Purpose: "login"}),
	"redeem, no subject":     redeemWrong(keyfob.Attempt{Kind: keyfob.KindCode, Purpose: "login"}),
	"redeem, subject, UTF-8": redeemWrong(keyfob.Attempt{Kind: keyfob.KindCode, Subject: "\xff", Purpose: "login"}),
	"redeem, purpose":        redeemWrong(keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "a", Purpose: "login"}),
	"redeem, no purpose":     redeemWrong(keyfob.Attempt{Kind: keyfob.KindLink}),
	"redeem, binding":        redeemWrong(keyfob.Attempt{Kind: keyfob.KindCode, Subject: "a", Purpose: "login", Binding: "b"}),
	"redeem, long binding":   redeemWrong(keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Binding: strings.Repeat("b", 257)}),
	"redeem, strict":         redeemWrong(keyfob.Attempt{Kind: keyfob.KindRecovery, Subject: "a", Strict: true}),
	"inspect, kind": func(ctx context.Context, v keyfob.Verbs, _ *env) error {
		_, err := v.Inspect(ctx, keyfob.Attempt{Kind: keyfob.KindCode, Subject: "a", Purpose: "login"})
		return err
	},
	"confirm, kind": func(ctx context.Context, v keyfob.Verbs, _ *env) error {
		_, err := v.Confirm(ctx, keyfob.Attempt{Kind: keyfob.KindCode, Subject: "a", Purpose: "login"})
		return err
	},
	"unlock":         func(ctx context.Context, v keyfob.Verbs, _ *env) error { return v.Unlock(ctx, "", "") },
	"unlock, UTF-8":  func(ctx context.Context, v keyfob.Verbs, _ *env) error { return v.Unlock(ctx, "a\xff", "") },
	"unlock, reason": func(ctx context.Context, v keyfob.Verbs, _ *env) error { return v.Unlock(ctx, "a", "\x00") },
	"list, purpose":  listWrong(keyfob.Filter{Purpose: "Log in"}),
	"too soon": func(ctx context.Context, v keyfob.Verbs, _ *env) error {
		subject := token.NewID()
		if _, err := v.Issue(ctx, keyfob.Code{Subject: subject, Purpose: "login"}); err != nil {
			return err
		}
		_, err := v.Issue(ctx, keyfob.Code{Subject: subject, Purpose: "login"})
		return err
	},
	"idempotency key of another kind": func(ctx context.Context, v keyfob.Verbs, _ *env) error {
		ctx = keyfob.WithIdempotencyKey(ctx, token.Random())
		if _, err := v.Issue(ctx, keyfob.Recovery{Subject: "a"}); err != nil {
			return err
		}
		_, err := v.Issue(ctx, keyfob.Recovery{Subject: "b"})
		return err
	},
}

func redeemWrong(a keyfob.Attempt) func(context.Context, keyfob.Verbs, *env) error {
	return func(ctx context.Context, v keyfob.Verbs, _ *env) error { _, err := v.Redeem(ctx, a); return err }
}

// FuzzOutcome: whatever answers, a link is accepted only by an answer on it, and no
// error repeats it.
func FuzzOutcome(f *testing.F) {
	text := token.New("default").Reveal()
	f.Add(200, "application/json", `{"valid":true,"reason":"ok","staleness_ms":0}`)
	f.Add(200, "application/json", `{"valid":false,"reason":"locked","staleness_ms":0,"retry_after":1,"valid":true}`)
	f.Add(200, "application/json", `{"valid":false,"reason":"binding","staleness_ms":0}`)
	f.Add(429, "application/problem+json", `{"type":"urn:keyfob:problem:too-soon","title":"","status":429,"detail":"","instance":""}`)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 200 || status > 999 {
			return
		}
		c, err := client.New(client.Config{
			URL: "http://127.0.0.1", Token: keyfob.NewSecret(text), Retries: -1,
			Transport: answers(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Redeem(t.Context(), keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Secret: keyfob.NewSecret(text)})
		if err == nil && (got.Versions[0].ID != text[8:24] || got.State != keyfob.StateRedeemed || !strings.Contains(body, text[8:24])) {
			t.Errorf("accepted by %q", body)
		}
		if err != nil && (strings.Contains(err.Error(), text) || strings.ContainsAny(err.Error(), "\n\x1b") || got.ID != "") {
			t.Errorf("the error %q, and %+v", err, got)
		}
	})
}
