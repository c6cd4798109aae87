package server

import (
	"slices"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
	"github.com/keyfob-dev/keyfob/internal/strictjson"
)

// OwnerScope is the scope of a caller who may do everything. Others have scopes
// of the form "<space>:<role>", with the roles issue, verify, read and revoke, or
// MetricsScope.
const OwnerScope = "owner"

// MetricsScope is the scope of a caller who may read /metrics.
const MetricsScope = "metrics"

// A role is what an operation needs its caller to be.
type role string

const (
	anyone role = ""         // no token is looked at
	owner  role = OwnerScope // OwnerScope
	issue  role = "issue"    // "<space>:issue", and so on
	verify role = "verify"
	read   role = "read"
	revoke role = "revoke"

	metricsReader role = MetricsScope // MetricsScope
)

// An operation is what is asked of a request before its handler sees it.
type operation struct {
	needs role
	query []string         // parameters that it may have, each once
	body  strictjson.Shape // of the JSON object that it must have; nil: it has none
	once  bool             // it takes an Idempotency-Key
	slow  bool             // it may take slowTimes as long as others
}

// operations is the table of roles by routes. An operation that is not in it is
// refused. It says the same as openapi.yaml; a test compares them.
var operations = map[oas.OperationName]operation{
	oas.HealthzOperation: {needs: anyone},
	oas.ReadyzOperation:  {needs: anyone},

	oas.ListSpacesOperation:  {needs: owner, query: []string{"after", "limit"}},
	oas.CreateSpaceOperation: {needs: owner, body: createSpaceShape},
	oas.GetSpaceOperation:    {needs: read},
	oas.UpdateSpaceOperation: {needs: owner, body: updateSpaceShape},

	oas.IssueAPIKeyOperation:    {needs: issue, body: issueAPIKeyShape, once: true},
	oas.SearchAPIKeysOperation:  {needs: read, body: searchAPIKeysShape},
	oas.PurgeAPIKeysOperation:   {needs: owner, body: purgeShape},
	oas.GetAPIKeyOperation:      {needs: read},
	oas.UpdateAPIKeyOperation:   {needs: issue, body: updateAPIKeyShape},
	oas.RotateAPIKeyOperation:   {needs: issue, body: rotateShape, once: true},
	oas.RollbackAPIKeyOperation: {needs: issue},
	oas.SuspendAPIKeyOperation:  {needs: issue, body: reasonShape},
	oas.ResumeAPIKeyOperation:   {needs: issue},
	oas.RevokeAPIKeyOperation:   {needs: revoke, body: reasonShape},

	oas.IssueSessionOperation:   {needs: issue, body: issueSessionShape, once: true},
	oas.SearchSessionsOperation: {needs: read, body: searchSessionsShape},
	oas.GetSessionOperation:     {needs: read},
	oas.UpdateSessionOperation:  {needs: issue, body: updateSessionShape},
	oas.RenewSessionOperation:   {needs: issue, once: true},
	oas.RevokeSessionOperation:  {needs: revoke, body: reasonShape},

	oas.VerifyOperation: {needs: verify, body: verifyShape},

	oas.IssueLinkOperation:      {needs: issue, body: issueLinkShape, once: true},
	oas.InspectLinkOperation:    {needs: verify, body: linkAttemptShape},
	oas.RedeemLinkOperation:     {needs: verify, body: linkAttemptShape},
	oas.IssueCodeOperation:      {needs: issue, body: issueCodeShape, once: true},
	oas.RedeemCodeOperation:     {needs: verify, body: redeemCodeShape},
	oas.IssueTOTPOperation:      {needs: issue, body: issueTOTPShape, once: true},
	oas.ConfirmTOTPOperation:    {needs: verify, body: totpAttemptShape},
	oas.CheckTOTPOperation:      {needs: verify, body: totpAttemptShape},
	oas.IssueRecoveryOperation:  {needs: issue, body: issueRecoveryShape, once: true},
	oas.RedeemRecoveryOperation: {needs: verify, body: redeemRecoveryShape},
	oas.UnlockSubjectOperation:  {needs: owner, body: unlockShape},
	oas.RevokeSubjectOperation:  {needs: revoke, body: revokeSubjectShape},

	oas.SearchCredentialsOperation: {needs: read, body: searchCredentialsShape},
	oas.PurgeCredentialsOperation:  {needs: owner, body: purgeCredentialsShape},
	oas.GetCredentialOperation:     {needs: read},
	oas.RevokeCredentialOperation:  {needs: revoke, body: reasonShape},

	oas.ListEventsOperation:       {needs: read, query: []string{"after", "limit", "credential", "type", "order"}},
	oas.CheckpointEventsOperation: {needs: read}, // it seals, which changes nothing that anybody sees
	oas.VerifyEventsOperation:     {needs: read, body: verifyEventsShape, slow: true},
}

var (
	createSpaceShape = strictjson.Shape{
		{Name: "name", Type: strictjson.Text, Required: true},
		{Name: "prefix", Type: strictjson.Text, Required: true},
	}
	updateSpaceShape = strictjson.Shape{
		{Name: "prefix", Type: strictjson.Text, Required: true},
		{Name: "revision", Type: strictjson.Int64, Required: true},
	}
	issueAPIKeyShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text, Required: true},
		{Name: "name", Type: strictjson.Text},
		{Name: "scopes", Type: strictjson.Texts},
		{Name: "not_before", Type: strictjson.Time},
		{Name: "expires_at", Type: strictjson.Time},
		{Name: "cidrs", Type: strictjson.Texts},
		{Name: "uses", Type: strictjson.Int64},
		{Name: "rate", Type: strictjson.Int64},
		{Name: "per", Type: strictjson.Int64},
		{Name: "burst", Type: strictjson.Int64},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	updateAPIKeyShape = strictjson.Shape{
		{Name: "revision", Type: strictjson.Int64, Required: true},
		{Name: "name", Type: strictjson.Text},
		{Name: "scopes", Type: strictjson.Texts},
		{Name: "not_before", Type: strictjson.Time, Nullable: true},
		{Name: "expires_at", Type: strictjson.Time, Nullable: true},
		{Name: "cidrs", Type: strictjson.Texts},
		{Name: "uses", Type: strictjson.Int64, Nullable: true},
		{Name: "rate", Type: strictjson.Int64, Nullable: true},
		{Name: "per", Type: strictjson.Int64, Nullable: true},
		{Name: "burst", Type: strictjson.Int64, Nullable: true},
		{Name: "attributes", Type: strictjson.TextMap},
	}
	purgeShape = strictjson.Shape{
		{Name: "ended_before", Type: strictjson.Time, Required: true},
	}
	searchAPIKeysShape = strictjson.Shape{
		{Name: "subject", Type: strictjson.Text},
		{Name: "states", Type: strictjson.Texts},
		{Name: "name_contains", Type: strictjson.Text},
		{Name: "scope", Type: strictjson.Text},
		{Name: "expires_before", Type: strictjson.Time},
		{Name: "after", Type: strictjson.Text},
		{Name: "limit", Type: strictjson.Int32},
	}
	rotateShape = strictjson.Shape{
		{Name: "grace", Type: strictjson.Int64, Required: true},
	}
	reasonShape = strictjson.Shape{
		{Name: "reason", Type: strictjson.Text},
	}
	verifyShape = strictjson.Shape{
		{Name: "token", Type: strictjson.Text, Required: true},
		{Name: "kind", Type: strictjson.Text},
		{Name: "scopes", Type: strictjson.Texts},
		{Name: "ip", Type: strictjson.Text},
	}
	verifyEventsShape = strictjson.Shape{
		{Name: "checkpoints", Type: strictjson.Texts},
	}
)

// A caller is who makes a request.
type caller struct {
	actor  string // as events and logs name it
	scopes []string
}

// may reports whether the caller may do in a space what needs the role. What
// concerns no single space (the empty name) and what concerns the callers
// themselves is the owner's alone, whatever other scopes somebody has.
func (c *caller) may(needs role, space string) bool {
	if needs == anyone || slices.Contains(c.scopes, OwnerScope) {
		return true
	}
	if needs == metricsReader {
		return slices.Contains(c.scopes, MetricsScope)
	}
	if needs == owner || space == "" || space == keyfob.OwnSpace {
		return false
	}
	for _, scope := range c.scopes {
		n := len(space)
		if len(scope) == n+1+len(needs) && scope[:n] == space && scope[n] == ':' && scope[n+1:] == string(needs) {
			return true
		}
	}
	return false
}

// checkCallerScopes refuses scopes that would give a key of the space keyfob
// nothing to do, such as a misspelled role.
func checkCallerScopes(scopes []string) error {
	for _, scope := range scopes {
		if scope == OwnerScope || scope == MetricsScope || isSpaceScope(scope) {
			continue
		}
		return &keyfob.InputError{
			Field:   "scopes",
			Problem: "holds one that means nothing to a caller: owner, metrics, or <space>:issue, :verify, :read or :revoke for any space but keyfob",
		}
	}
	return nil
}

func isSpaceScope(scope string) bool {
	for _, r := range []role{issue, verify, read, revoke} {
		n := len(scope) - 1 - len(r)
		if n > 0 && scope[n:] == ":"+string(r) {
			return isSpaceName(scope[:n]) && scope[:n] != keyfob.OwnSpace
		}
	}
	return false
}

// isSpaceName tells what can be a space's name from what cannot. Whether there
// is such a space, only the store knows.
func isSpaceName(name string) bool {
	if name == "" || len(name) > 63 {
		return false
	}
	for _, b := range []byte(name) {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return false
		}
	}
	return true
}
