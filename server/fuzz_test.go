package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// decoders are the generated ones, for what the strict reading has passed.
var decoders = map[oas.OperationName]func([]byte) error{
	oas.CreateSpaceOperation:       func(b []byte) error { return new(oas.CreateSpaceRequest).UnmarshalJSON(b) },
	oas.UpdateSpaceOperation:       func(b []byte) error { return new(oas.UpdateSpaceRequest).UnmarshalJSON(b) },
	oas.IssueAPIKeyOperation:       func(b []byte) error { return new(oas.IssueAPIKeyRequest).UnmarshalJSON(b) },
	oas.SearchAPIKeysOperation:     func(b []byte) error { return new(oas.SearchAPIKeysRequest).UnmarshalJSON(b) },
	oas.PurgeAPIKeysOperation:      func(b []byte) error { return new(oas.PurgeRequest).UnmarshalJSON(b) },
	oas.UpdateAPIKeyOperation:      func(b []byte) error { return new(oas.UpdateAPIKeyRequest).UnmarshalJSON(b) },
	oas.SuspendAPIKeyOperation:     func(b []byte) error { return new(oas.SuspendRequest).UnmarshalJSON(b) },
	oas.RotateAPIKeyOperation:      func(b []byte) error { return new(oas.RotateRequest).UnmarshalJSON(b) },
	oas.RevokeAPIKeyOperation:      func(b []byte) error { return new(oas.RevokeRequest).UnmarshalJSON(b) },
	oas.VerifyOperation:            func(b []byte) error { return new(oas.VerifyRequest).UnmarshalJSON(b) },
	oas.IssueSessionOperation:      func(b []byte) error { return new(oas.IssueSessionRequest).UnmarshalJSON(b) },
	oas.SearchSessionsOperation:    func(b []byte) error { return new(oas.SearchSessionsRequest).UnmarshalJSON(b) },
	oas.UpdateSessionOperation:     func(b []byte) error { return new(oas.UpdateSessionRequest).UnmarshalJSON(b) },
	oas.RevokeSessionOperation:     func(b []byte) error { return new(oas.RevokeRequest).UnmarshalJSON(b) },
	oas.RevokeSubjectOperation:     func(b []byte) error { return new(oas.RevokeSubjectRequest).UnmarshalJSON(b) },
	oas.IssueLinkOperation:         func(b []byte) error { return new(oas.IssueLinkRequest).UnmarshalJSON(b) },
	oas.InspectLinkOperation:       func(b []byte) error { return new(oas.LinkAttemptRequest).UnmarshalJSON(b) },
	oas.RedeemLinkOperation:        func(b []byte) error { return new(oas.LinkAttemptRequest).UnmarshalJSON(b) },
	oas.IssueCodeOperation:         func(b []byte) error { return new(oas.IssueCodeRequest).UnmarshalJSON(b) },
	oas.RedeemCodeOperation:        func(b []byte) error { return new(oas.RedeemCodeRequest).UnmarshalJSON(b) },
	oas.IssueTOTPOperation:         func(b []byte) error { return new(oas.IssueTOTPRequest).UnmarshalJSON(b) },
	oas.ConfirmTOTPOperation:       func(b []byte) error { return new(oas.TOTPAttemptRequest).UnmarshalJSON(b) },
	oas.CheckTOTPOperation:         func(b []byte) error { return new(oas.TOTPAttemptRequest).UnmarshalJSON(b) },
	oas.IssueRecoveryOperation:     func(b []byte) error { return new(oas.IssueRecoveryRequest).UnmarshalJSON(b) },
	oas.RedeemRecoveryOperation:    func(b []byte) error { return new(oas.RedeemRecoveryRequest).UnmarshalJSON(b) },
	oas.UnlockSubjectOperation:     func(b []byte) error { return new(oas.UnlockRequest).UnmarshalJSON(b) },
	oas.SearchCredentialsOperation: func(b []byte) error { return new(oas.SearchCredentialsRequest).UnmarshalJSON(b) },
	oas.PurgeCredentialsOperation:  func(b []byte) error { return new(oas.PurgeCredentialsRequest).UnmarshalJSON(b) },
	oas.RevokeCredentialOperation:  func(b []byte) error { return new(oas.RevokeRequest).UnmarshalJSON(b) },
	oas.VerifyEventsOperation:      func(b []byte) error { return new(oas.VerifyEventsRequest).UnmarshalJSON(b) },
}

// FuzzBodies: whatever passes the strict reading, the generated decoder reads;
// so its own errors, which hold the body, are never made.
func FuzzBodies(f *testing.F) {
	for _, text := range []string{
		`{"name":"acme","prefix":"acme_live"}`, `{"prefix":"a","revision":9223372036854775807}`, `{"\u0070refix":"a","revision":-1}`,
		`{"subject":"\ud83d\ude00","name":"","scopes":["a"],"expires_at":"2031-01-01T00:00:00.123456789+23:59","attributes":{"\u0061":"\u0000"}}`,
		`{"subject":"a","expires_at":"0000-01-01T00:00:00-23:59"}`, ` { "subject" : "a" } `, `{"states":[],"limit":-2147483648,"after":""}`,
		`{"grace":0}`, `{"reason":""}`, `{}`, `{"token":"x","kind":"apikey","scopes":["read"]}`, `{"token":"x","token":"y"}`, `{"grace":1e3}`, `[`,
		`{"subject":"a","expires_at":"2031-01-01T00:00:00Z","name":"\u2028"}`, `{"subject":"\/"}`, `{"grace":-0}`,
		`{"subject":"a","not_before":"2031-01-01T00:00:00Z","cidrs":["192.0.2.0/24"],"uses":9223372036854775807}`, `{"subject":"a","uses":9223372036854775808}`,
		`{"revision":1,"not_before":null,"expires_at":null,"uses":null}`, `{"revision":1,"uses":1,"cidrs":[],"scopes":[],"attributes":{},"name":""}`,
		`{"revision":null}`, `{"revision":1,"name":null}`, `{"revision":1,"uses":nul}`, `{"ended_before":"2001-01-01T00:00:00-00:00"}`,
		`{"name_contains":"a","scope":"read","expires_before":"2031-01-01T00:00:00Z"}`, `{"token":"x","ip":"::1"}`, `{"checkpoints":["{\"seq\":1}"]}`,
		`{"subject":"a","purpose":"login","ttl":60,"binding":"b"}`, `{"subject":"a","purpose":"login","digits":8}`, `{"subject":"a","code":"000000","strict":true}`,
		`{"subject":"a","code":"000000","strict":false,"ip":"::1"}`, `{"subject":"a","account":"b","algorithm":"sha256"}`, `{"kind":"totp","purpose":""}`,
		`{"subject":"a","idle":60,"lifetime":-0,"remembered":true,"from":"","since":"2031-01-01T00:00:00.1+00:01","attributes":{}}`, `{"remembered":false}`,
		`{"revision":1,"attributes":{"a":"b"}}`, `{"revision":1,"attributes":null}`, `{"subject":"a","kinds":["session","session"],"reason":""}`, `{"subject":"a","kinds":[]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, op := range operations {
			if op.body != nil && strictjson.Check(text, op.body) == nil {
				if err := decoders[name](text); err != nil {
					t.Errorf("%s: the strict reading passes what the decoder refuses: %v", name, err)
				}
			}
		}
	})
}

// FuzzReadPlain: what is read at once is what the strict reading passes, and the
// same as generated code reads.
func FuzzReadPlain(f *testing.F) {
	for _, text := range []string{
		`{"token":"x"}`, `{"token":"x","kind":"apikey","scopes":["read","write"],"ip":"::1"}`, ` { "ip" : "" , "token" : "" } `,
		`{"token":"x","scopes":[]}`, `{"token":"x","kind":""}`, `{"token":"x","token":"y"}`, `{"token":"x","scopes":["a",]}`, `{"token":"\u0061"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want oas.VerifyRequest
		if !readPlain(text, verifyShape, &got) {
			return
		}
		if err := strictjson.Check(text, verifyShape); err != nil {
			t.Fatalf("is read at once, and the strict reading says %v", err)
		}
		if err := want.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		if got.Token != want.Token || got.Kind != want.Kind || got.IP != want.IP || !slices.Equal(got.Scopes, want.Scopes) {
			t.Errorf("reads %+v, and generated code %+v", got, want)
		}
	})
}

func TestDecodersAreAll(t *testing.T) {
	for name, op := range operations {
		if (op.body != nil) != (decoders[name] != nil) {
			t.Errorf("%s is not in decoders, or should not be", name)
		}
	}
}

// FuzzMay: nobody but the owner is let into the space keyfob, into no space, or
// by a scope that is not exactly that of space and role.
func FuzzMay(f *testing.F) {
	f.Add("verify", "acme", "acme:verify")
	f.Add("verify", "keyfob", "keyfob:verify")
	f.Add("owner", "", ":owner")
	f.Add("read", "", ":read")
	f.Add("read", "a:read", "a:read:read")
	f.Add("issue", "acme", "acme:issue ")
	f.Fuzz(func(t *testing.T, needs, space, scope string) {
		c := &caller{scopes: []string{scope}}
		want := scope == "owner" || needs == "" || needs != "owner" && space != "" && space != "keyfob" && slices.Contains(c.scopes, space+":"+needs)
		if got := c.may(role(needs), space); got != want {
			t.Errorf("%q may %q in %q: %v, want %v", scope, needs, space, got, want)
		}
		if checkCallerScopes(c.scopes) == nil && scope != "owner" {
			name, _, _ := strings.Cut(scope, ":")
			if !isSpaceName(name) || name == keyfob.OwnSpace || strings.Count(scope, ":") != 1 {
				t.Errorf("the scope %q passes", scope)
			}
		}
	})
}
