package keyfob

import (
	"context"
	"time"
)

// Verbs are those that an Authority and a client of a server share, so that what
// is built on one takes the other: both work in one space, with the same
// arguments, answers and errors. More will come with other kinds of credential;
// a type that is to stay one of Verbs embeds one.
type Verbs interface {
	Issue(ctx context.Context, request Request) (Issued, error)
	Verify(ctx context.Context, text string, check Check) (Credential, error)
	Judge(ctx context.Context, text string, check Check) (Verdict, error)

	Inspect(ctx context.Context, attempt Attempt) (Credential, error)
	Redeem(ctx context.Context, attempt Attempt) (Credential, error)
	Confirm(ctx context.Context, attempt Attempt) (Credential, error)
	Unlock(ctx context.Context, subject, reason string) error

	Get(ctx context.Context, id string) (Credential, error)
	List(ctx context.Context, filter Filter) (Page, error)
	Update(ctx context.Context, c Credential) (Credential, error)

	Rotate(ctx context.Context, id string, grace time.Duration) (Issued, error)
	Rollback(ctx context.Context, id string) (Credential, error)
	Suspend(ctx context.Context, id, reason string) (Credential, error)
	Resume(ctx context.Context, id string) (Credential, error)
	Renew(ctx context.Context, id string) (Issued, error)
	Revoke(ctx context.Context, id, reason string) error
	RevokeSubject(ctx context.Context, subject, reason string, kinds ...Kind) error
	Purge(ctx context.Context, kind Kind, endedBefore time.Time) (int64, error)
}

var _ Verbs = (*Authority)(nil)

// IdempotencyKey returns the key that WithIdempotencyKey put into a context, for
// those who hand it on, as to a server. The second result is false if there is
// none.
func IdempotencyKey(ctx context.Context) (string, bool) {
	key, ok := ctx.Value(onceKey{}).(string)
	return key, ok
}
