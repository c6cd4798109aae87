package server

import "github.com/keyfob-dev/keyfob/internal/strictjson"

// The bodies of what is about secrets that are redeemed once, and about
// credentials of all kinds.
var (
	issueLinkShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "purpose", Type: strictjson.Text, Required: true},
		{Name: "ttl", Type: strictjson.Int64},
		{Name: "binding", Type: strictjson.Text},
		{Name: "pause", Type: strictjson.Int64},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	linkAttemptShape = strictjson.Shape{
		{Name: "token", Type: strictjson.Text, Required: true},
		{Name: "purpose", Type: strictjson.Text, Required: true},
		{Name: "binding", Type: strictjson.Text},
		{Name: "ip", Type: strictjson.Text},
	}
	issueCodeShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "purpose", Type: strictjson.Text, Required: true},
		{Name: "digits", Type: strictjson.Int32},
		{Name: "alphabet", Type: strictjson.Text},
		{Name: "length", Type: strictjson.Int32},
		{Name: "ttl", Type: strictjson.Int64},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	redeemCodeShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "purpose", Type: strictjson.Text, Required: true},
		{Name: "code", Type: strictjson.Text, Required: true},
		{Name: "ip", Type: strictjson.Text},
	}
	issueTOTPShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "account", Type: strictjson.Text, Required: true},
		{Name: "issuer", Type: strictjson.Text},
		{Name: "algorithm", Type: strictjson.Text},
		{Name: "name", Type: strictjson.Text},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	totpAttemptShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "code", Type: strictjson.Text, Required: true},
		{Name: "ip", Type: strictjson.Text},
		{Name: "strict", Type: strictjson.Bool},
	}
	issueRecoveryShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	redeemRecoveryShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "code", Type: strictjson.Text, Required: true},
		{Name: "ip", Type: strictjson.Text},
	}
	unlockShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "reason", Type: strictjson.Text},
	}
	searchCredentialsShape = strictjson.Shape{
		{Name: "kind", Type: strictjson.Text},
		{Name: "subject", Type: strictjson.Text},
		{Name: "purpose", Type: strictjson.Text},
		{Name: "states", Type: strictjson.Texts},
		{Name: "name_contains", Type: strictjson.Text},
		{Name: "scope", Type: strictjson.Text},
		{Name: "expires_before", Type: strictjson.Time},
		{Name: "after", Type: strictjson.Text},
		{Name: "limit", Type: strictjson.Int32},
	}
	purgeCredentialsShape = strictjson.Shape{
		{Name: "kind", Type: strictjson.Text, Required: true},
		{Name: "ended_before", Type: strictjson.Time, Required: true},
	}
)
