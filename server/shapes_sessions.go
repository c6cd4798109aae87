package server

import "github.com/keyfob-dev/keyfob/internal/strictjson"

// The bodies of what is about sessions, and about all that a subject has.
var (
	issueSessionShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text},
		{Name: "attributes", Type: strictjson.TextMap},
		{Name: "idle", Type: strictjson.Int64},
		{Name: "lifetime", Type: strictjson.Int64},
		{Name: "remembered", Type: strictjson.Bool},
		{Name: "from", Type: strictjson.Text},
		{Name: "since", Type: strictjson.Time},
	}
	updateSessionShape = strictjson.Shape{
		{Name: "revision", Type: strictjson.Int64, Required: true},
		{Name: "attributes", Type: strictjson.TextMap, Required: true},
	}
	searchSessionsShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text},
		{Name: "states", Type: strictjson.Texts},
		{Name: "expires_before", Type: strictjson.Time},
		{Name: "after", Type: strictjson.Text},
		{Name: "limit", Type: strictjson.Int32},
	}
	revokeSubjectShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "kinds", Type: strictjson.Texts, Required: true},
		{Name: "reason", Type: strictjson.Text},
	}
)
