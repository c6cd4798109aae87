package client_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/client"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// TestTimes: each time of an answer is in its place.
func TestTimes(t *testing.T) {
	e := newEnv(t, memory.Open())
	got, err := e.client(client.Config{Transport: canned(200, "application/json", `{"id":"0000000000000000","space":"default","kind":"apikey",
		"subject":"alice","name":"","scopes":[],"attributes":{},"cidrs":[],"uses":9,"used":8,"state":"active","revision":1,
		"created_at":"2030-01-02T03:04:05.001Z","updated_at":"2030-01-02T03:04:05.002Z","not_before":"2030-01-02T03:04:05.003Z","expires_at":"2030-01-02T03:04:05.004Z",
		"idle":1800,"seen_at":"2030-01-02T03:04:05.011Z",
		"versions":[{"id":"0000000000000001","number":1,"prefix":"default","state":"active","created_at":"2030-01-02T03:04:05.005Z",
		"ends_at":"2030-01-02T03:04:05.006Z","first_used_at":"2030-01-02T03:04:05.007Z","last_used_at":"2030-01-02T03:04:05.008Z",
		"used_from":[{"ip":"192.0.2.7","first_at":"2030-01-02T03:04:05.009Z","last_at":"2030-01-02T03:04:05.010Z"}]}]}`)}).Get(t.Context(), "0000000000000000")
	e.must(err)
	v := got.Versions[0]
	for i, at := range []time.Time{got.Created, got.Updated, got.NotBefore, got.Expires, v.Created, v.Ends, v.FirstUsed, v.LastUsed, v.From[0].First, v.From[0].Last, got.Seen} {
		if want := time.Date(2030, 1, 2, 3, 4, 5, (i+1)*1_000_000, time.UTC); at != want {
			t.Errorf("time %d is %v, want %v", i, at, want)
		}
	}
	if got.Idle != 30*time.Minute || got.Uses != 9 || got.Used != 8 || v.From[0].IP != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("%+v", got)
	}
}

// TestUnreadable: what cannot be read is not taken for nothing.
func TestUnreadable(t *testing.T) {
	e := newEnv(t, memory.Open())
	const version = `{"id":"0000000000000001","number":1,"prefix":"default","state":"active","created_at":"2030-01-02T03:04:05.005Z",
		"used_from":[{"ip":"%s","first_at":"2030-01-02T03:04:05.009Z","last_at":"2030-01-02T03:04:05.010Z"}]}`
	const key = `{"id":"0000000000000000","space":"default","kind":"apikey","subject":"alice","name":"","scopes":[],"attributes":{},"cidrs":[],
		"state":"active","revision":1,"created_at":"2030-01-02T03:04:05.001Z","versions":[` + version + `]}`
	const checkpoint = `{"space":"default","space_id":"0000000000000000","seq":1,"link":"%s","time":"2030-01-02T03:04:05.001Z","root_key":1,"key":"","signature":""}`
	for text, ok := range map[string]bool{"192.0.2.7": true, "": false, "x": false, "192.0.2.7/32": false} {
		c := e.client(client.Config{Transport: canned(200, "application/json", fmt.Sprintf(key, text))})
		if got, err := c.Get(t.Context(), "0000000000000000"); (err == nil) != ok || err != nil && (!errors.Is(err, client.ErrServer) || got.ID != "") {
			t.Errorf("used from %q: %+v, %v", text, got, err)
		}
	}
	for text, ok := range map[string]bool{"": true, "00ff": true, "0": false, "zz": false} {
		c := e.client(client.Config{Transport: canned(200, "application/json", fmt.Sprintf(checkpoint, text))})
		got, err := c.Events().Checkpoint(t.Context())
		if (err == nil) != ok || err != nil && !errors.Is(err, client.ErrServer) || (got.Link != nil) != (text == "00ff") {
			t.Errorf("a link of %q: %+v, %v", text, got, err)
		}
	}
}

// TestCheckpointElsewhere: a checkpoint that was read in another time zone is the
// same one.
func TestCheckpointElsewhere(t *testing.T) {
	e := newEnv(t, memory.Open())
	log := e.client(client.Config{}).Events()
	p, err := log.Checkpoint(t.Context())
	e.must(err)
	p.Time = p.Time.In(time.FixedZone("", 3600))
	if report, err := log.Verify(t.Context(), p); err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestReport: what is wrong with a log comes back as it was found.
func TestReport(t *testing.T) {
	e := newEnv(t, memory.Open())
	got, err := e.client(client.Config{Transport: canned(200, "application/json", `{"events":4,"sealed":3,"more":2,"problems":[
		{"found":"removed","seq":7,"event":"5hU8rT2wQ9zX4cVb","text":"number 7 is missing"},{"found":"truncated","text":"the end is missing"}]}`)}).Events().Verify(t.Context())
	e.must(err)
	want := keyfob.AuditReport{Events: 4, Sealed: 3, More: 2, Problems: []keyfob.Problem{
		{Found: keyfob.FoundRemoved, Seq: 7, Event: "5hU8rT2wQ9zX4cVb", Text: "number 7 is missing"},
		{Found: keyfob.FoundTruncated, Text: "the end is missing"},
	}}
	same(t, "Events.Verify", got, want)
}

// TestEveryFieldIsMapped fails when the API gets a field that convert.go may not
// know. Map it there, and then add it here.
func TestEveryFieldIsMapped(t *testing.T) {
	for _, test := range []struct {
		of    any
		names string
	}{
		{oas.Credential{}, "ID Space Kind Subject Purpose Name Scopes Attributes State Reason Revision CreatedAt UpdatedAt NotBefore ExpiresAt Idle SeenAt Cidrs Uses Rate Per Burst Used Confirmed Versions"},
		{oas.Version{}, "ID Number Prefix State CreatedAt EndsAt FirstUsedAt LastUsedAt UsedFrom"},
		{oas.IssueAPIKeyRequest{}, "Subject Name Scopes NotBefore ExpiresAt Cidrs Uses Rate Per Burst Attributes"},
		{oas.UpdateAPIKeyRequest{}, "Revision Name Scopes NotBefore ExpiresAt Cidrs Uses Rate Per Burst Attributes"},
		{oas.SearchCredentialsRequest{}, "Kind Subject Purpose States NameContains Scope ExpiresBefore After Limit"},
		{oas.PurgeCredentialsRequest{}, "Kind EndedBefore"},
		{oas.IssueSessionRequest{}, "Subject Attributes Idle Lifetime Remembered From Since"},
		{oas.UpdateSessionRequest{}, "Revision Attributes"},
		{oas.RevokeSubjectRequest{}, "Subject Kinds Reason"},
		{oas.IssueLinkRequest{}, "Subject Purpose TTL Binding Pause Attributes"},
		{oas.IssueCodeRequest{}, "Subject Purpose Digits Alphabet Length TTL Attributes"},
		{oas.IssueTOTPRequest{}, "Subject Account Issuer Algorithm Name Attributes"},
		{oas.IssueRecoveryRequest{}, "Subject Attributes"},
		{oas.LinkAttemptRequest{}, "Token Purpose Binding IP"},
		{oas.RedeemCodeRequest{}, "Subject Purpose Code IP"},
		{oas.TOTPAttemptRequest{}, "Subject Code IP Strict"},
		{oas.RedeemRecoveryRequest{}, "Subject Code IP"},
		{oas.UnlockRequest{}, "Subject Reason"},
		{oas.AttemptVerdict{}, "Valid Reason Credential RetryAfter StalenessMs"},
		{oas.IssuedCode{}, "Credential Code"},
		{oas.IssuedTOTP{}, "Credential Secret URI"},
		{oas.IssuedRecovery{}, "Credential Codes"},
		{oas.VerifyRequest{}, "Token Kind Scopes IP"},
		{oas.Verdict{}, "Valid Reason Credential Limit StalenessMs"},
		{oas.Meter{}, "Rate Per Burst Remaining Reset Retry"},
		{oas.Use{}, "IP FirstAt LastAt"},
		{oas.Event{}, "ID Time Actor Type Credential Version Subject Reason Seq"},
		{oas.Checkpoint{}, "Space SpaceID Seq Link Time RootKey Key Signature"},
		{oas.AuditReport{}, "Events Sealed Problems More"},
		{oas.AuditProblem{}, "Found Seq Event Text"},
		{oas.Space{}, "Name Prefix Revision CreatedAt"},
	} {
		typ := reflect.TypeOf(test.of)
		var names []string
		for i := range typ.NumField() {
			names = append(names, typ.Field(i).Name)
		}
		if got := strings.Join(names, " "); got != test.names {
			t.Errorf("%v has %s, want %s", typ, got, test.names)
		}
	}
}
