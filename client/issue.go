package client

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/go-faster/jx"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/otp"
)

// Issue makes a credential and hands out its secret, as Authority.Issue does. How
// long a Session, a Link or a Code lasts is in whole seconds.
func (c *Client) Issue(ctx context.Context, request keyfob.Request) (keyfob.Issued, error) {
	switch r := pointed(request).(type) {
	case keyfob.APIKey:
		return c.issueAPIKey(ctx, &r)
	case keyfob.Session:
		return c.issueSession(ctx, &r)
	case keyfob.Link:
		return c.issueLink(ctx, &r)
	case keyfob.Code:
		return c.issueCode(ctx, &r)
	case keyfob.TOTP:
		return c.issueTOTP(ctx, &r)
	case keyfob.Recovery:
		return c.issueRecovery(ctx, &r)
	}
	return keyfob.Issued{}, badInput("request", "is none that there is: an APIKey, Session, Link, Code, TOTP or Recovery")
}

// pointed is the request that a pointer points at, or the one that is none.
func pointed(request keyfob.Request) keyfob.Request {
	switch r := request.(type) {
	case *keyfob.APIKey:
		return *r
	case *keyfob.Session:
		return *r
	case *keyfob.Link:
		return *r
	case *keyfob.Code:
		return *r
	case *keyfob.TOTP:
		return *r
	case *keyfob.Recovery:
		return *r
	}
	return request
}

// issue asks for a secret; out holds it then.
func (c *Client) issue(ctx context.Context, rest string, in interface{ MarshalJSON() ([]byte, error) }, out interface{ Decode(*jx.Decoder) error }) error {
	path, err := c.path(rest)
	if err != nil {
		return err
	}
	return c.do(ctx, call{method: http.MethodPost, path: path, in: in, out: out, status: http.StatusCreated, once: true})
}

func (c *Client) issueAPIKey(ctx context.Context, k *keyfob.APIKey) (keyfob.Issued, error) {
	if err := checkLimit(k.Limit); err != nil {
		return keyfob.Issued{}, err
	}
	if err := checkTexts(k.Name, k.Scopes, k.Attributes, "subject", k.Subject); err != nil {
		return keyfob.Issued{}, err
	}
	var answer oas.Issued
	if err := c.issue(ctx, "/apikeys", issueRequest(k), &answer); err != nil {
		return keyfob.Issued{}, err
	}
	return issuedOf(&answer)
}

func (c *Client) issueLink(ctx context.Context, l *keyfob.Link) (keyfob.Issued, error) {
	if err := checkTexts("", nil, l.Attributes, "subject", l.Subject, "purpose", l.Purpose, "binding", l.Binding); err != nil {
		return keyfob.Issued{}, err
	}
	request := oas.IssueLinkRequest{Subject: l.Subject, Purpose: l.Purpose, Binding: given(l.Binding)}
	var err error
	if request.TTL, err = secondsOf("ttl", l.TTL); err != nil {
		return keyfob.Issued{}, err
	}
	if request.Pause, err = secondsOf("pause", l.Pause); err != nil {
		return keyfob.Issued{}, err
	}
	if len(l.Attributes) > 0 {
		request.Attributes = oas.NewOptIssueLinkRequestAttributes(maps.Clone(l.Attributes))
	}
	var answer oas.Issued
	if err := c.issue(ctx, "/links", &request, &answer); err != nil {
		return keyfob.Issued{}, err
	}
	return issuedOf(&answer)
}

func (c *Client) issueCode(ctx context.Context, r *keyfob.Code) (keyfob.Issued, error) {
	if err := checkTexts("", nil, r.Attributes, "subject", r.Subject, "purpose", r.Purpose); err != nil {
		return keyfob.Issued{}, err
	}
	request := oas.IssueCodeRequest{Subject: r.Subject, Purpose: r.Purpose}
	if err := setFormat(&request, r); err != nil {
		return keyfob.Issued{}, err
	}
	var err error
	if request.TTL, err = secondsOf("ttl", r.TTL); err != nil {
		return keyfob.Issued{}, err
	}
	if len(r.Attributes) > 0 {
		request.Attributes = oas.NewOptIssueCodeRequestAttributes(maps.Clone(r.Attributes))
	}
	var answer oas.IssuedCode
	if err := c.issue(ctx, "/codes", &request, &answer); err != nil {
		return keyfob.Issued{}, err
	}
	credential, err := credentialOf(&answer.Credential)
	return keyfob.Issued{Credential: credential, Secret: keyfob.NewSecret(answer.Code)}, err
}

// setFormat writes the form of a code, whose number of characters has another name
// in the API than here.
func setFormat(o *oas.IssueCodeRequest, r *keyfob.Code) error {
	most := map[otp.Format]int{otp.FormatDigits: 10, otp.FormatUnambiguous: 16}[r.Format]
	if most == 0 || r.Chars != 0 && (r.Chars < 6 || r.Chars > most) {
		return badInput("chars", "is %d; a code has 6 to 10 digits, or 6 to 16 unambiguous characters", r.Chars)
	}
	chars := oas.OptInt32{Value: int32(r.Chars), Set: r.Chars != 0}
	if r.Format == otp.FormatDigits {
		o.Digits = chars
		return nil
	}
	o.Alphabet, o.Length = oas.NewOptString(r.Format.String()), chars
	return nil
}

// secondsOf is a time in the API's seconds; 0 is not given.
func secondsOf(field string, d time.Duration) (oas.OptInt64, error) {
	if d%time.Second != 0 {
		return oas.OptInt64{}, badInput(field, "is %v; through a server it is in whole seconds", d)
	}
	if d == 0 {
		return oas.OptInt64{}, nil
	}
	return oas.NewOptInt64(int64(d / time.Second)), nil
}

func (c *Client) issueTOTP(ctx context.Context, t *keyfob.TOTP) (keyfob.Issued, error) {
	if err := checkTexts(t.Name, nil, t.Attributes, "subject", t.Subject, "issuer", t.Issuer, "account", t.Account); err != nil {
		return keyfob.Issued{}, err
	}
	request := oas.IssueTOTPRequest{Subject: t.Subject, Account: t.Account, Issuer: given(t.Issuer), Name: given(t.Name)}
	if t.Algorithm != otp.SHA1 {
		request.Algorithm = oas.NewOptString(t.Algorithm.String())
	}
	if len(t.Attributes) > 0 {
		request.Attributes = oas.NewOptIssueTOTPRequestAttributes(maps.Clone(t.Attributes))
	}
	var answer oas.IssuedTOTP
	if err := c.issue(ctx, "/totp", &request, &answer); err != nil {
		return keyfob.Issued{}, err
	}
	credential, err := credentialOf(&answer.Credential)
	return keyfob.Issued{
		Credential: credential, Secret: keyfob.NewSecret(answer.Secret), URI: keyfob.NewSecret(answer.URI),
	}, err
}

func (c *Client) issueRecovery(ctx context.Context, r *keyfob.Recovery) (keyfob.Issued, error) {
	if err := checkTexts("", nil, r.Attributes, "subject", r.Subject); err != nil {
		return keyfob.Issued{}, err
	}
	request := oas.IssueRecoveryRequest{Subject: r.Subject}
	if len(r.Attributes) > 0 {
		request.Attributes = oas.NewOptIssueRecoveryRequestAttributes(maps.Clone(r.Attributes))
	}
	var answer oas.IssuedRecovery
	if err := c.issue(ctx, "/recovery", &request, &answer); err != nil {
		return keyfob.Issued{}, err
	}
	credential, err := credentialOf(&answer.Credential)
	issued := keyfob.Issued{Credential: credential}
	for _, code := range answer.Codes {
		issued.Secrets = append(issued.Secrets, keyfob.NewSecret(code))
	}
	return issued, err
}
