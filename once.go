package keyfob

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/keyfob-dev/keyfob/internal/framing"
	"github.com/keyfob-dev/keyfob/internal/seal"
	"github.com/keyfob-dev/keyfob/store"
)

// replayLife is for how long an answer is kept.
const replayLife = 10 * time.Minute

type onceKey struct{}

// WithIdempotencyKey returns a context under which Issue, Rotate and Renew do what
// they do once: who did not get the answer calls again with the same key, actor and
// arguments, and gets the same Issued, for ten minutes. The key is 16 to 255
// printable characters of ASCII without space, drawn anew for each request, as
// by token.Random.
//
// The answer is kept sealed under a key that is derived from this one as well:
// neither the database nor the root key, nor both, opens it without.
func WithIdempotencyKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, onceKey{}, key)
}

// CheckIdempotencyKey says whether text can be an idempotency key. The error is
// an *InputError.
func CheckIdempotencyKey(text string) error {
	if len(text) < 16 || len(text) > 255 {
		return badInput("idempotency key", "has %d characters; it has 16 to 255", len(text))
	}
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' {
			return badInput("idempotency key", "holds the byte 0x%02x; it is printable ASCII without space", b)
		}
	}
	return nil
}

// A once is a request that is carried out once.
type once struct {
	core    *core
	space   string
	name    string // of its replay
	request []byte // tells it from another with the same key
	key     seal.Key
}

// once returns what a context says of the request, nil if it has no key. The
// arguments are what another request would have otherwise.
func (c *core) once(ctx context.Context, space, verb string, arguments ...any) (*once, error) {
	key, ok := ctx.Value(onceKey{}).(string)
	if !ok {
		return nil, nil
	}
	if err := CheckIdempotencyKey(key); err != nil {
		return nil, err
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		return nil, fmt.Errorf("%s: encode the request: %w", verb, err)
	}
	actor := actorOf(ctx)
	derive := func(label string, more []byte) []byte {
		b := framing.Append(make([]byte, 0, 512), "keyfob/replay/v1/"+label)
		for _, field := range []string{actor, verb, space, key} {
			b = framing.Append(b, field)
		}
		return mac(c.keys.now().replay, framing.Append(b, more))
	}
	o := &once{core: c, space: space, name: fmt.Sprintf("%x", derive("name", nil)), request: derive("request", text)}
	o.key, err = seal.NewKey(derive("key", nil))
	return o, err
}

// A kept is an answer, as it is sealed.
type kept struct {
	At         time.Time
	Secret     string
	Secrets    []string
	URI        string
	Credential store.Credential
	Versions   []store.Version
	Ended      []string // ids of credentials whose place it took
}

// answered returns the answer that was given before, if one was.
func (o *once) answered(ctx context.Context, a *Authority) (issued Issued, was bool, err error) {
	if o == nil {
		return Issued{}, false, nil
	}
	replay, err := o.core.store.Replay(ctx, o.space, o.name)
	if errors.Is(err, store.ErrNotFound) || err == nil && isOver(o.core.now(), replay.Expires) {
		return Issued{}, false, nil
	}
	if err != nil {
		return Issued{}, false, fmt.Errorf("look for an earlier answer: %w", err)
	}
	if !hmac.Equal(replay.Request, o.request) {
		return Issued{}, false, ErrKeyReused
	}
	text, err := o.key.Open(replay.Sealed, []byte(o.name))
	if err != nil {
		return Issued{}, false, fmt.Errorf("read an earlier answer: %w", err)
	}
	defer clear(text)
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return Issued{}, false, fmt.Errorf("read an earlier answer: %w", err)
	}
	for _, id := range append(k.Ended, k.Credential.ID) {
		o.core.forget(id) // of which an older secret may be known here
	}
	d := drawn{secret: NewSecret(k.Secret), uri: NewSecret(k.URI)}
	for _, s := range k.Secrets {
		d.secrets = append(d.secrets, NewSecret(s))
	}
	return d.issued(a.credentialOf(k.At, &k.Credential, k.Versions...)), true, nil
}

// keep returns the steps that keep an answer, together with what it tells of.
// They go before all others. Of twins, the second finds its condition broken.
func (o *once) keep(now time.Time, d *drawn, c store.Credential, versions ...store.Version) ([]store.Step, error) {
	if o == nil {
		return nil, nil
	}
	for i := range versions {
		versions[i].Digest, versions[i].Sealed = nil, nil
	}
	k := kept{At: now, Secret: d.secret.Reveal(), URI: d.uri.Reveal(), Credential: c, Versions: versions, Ended: d.ended}
	for _, s := range d.secrets {
		k.Secrets = append(k.Secrets, s.Reveal())
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	defer clear(text)
	o.core.noteReplay(now)
	return []store.Step{
		store.DeleteReplays{Until: o.core.now()}, // also what was found to be over after now
		store.CreateReplay{Replay: store.Replay{
			Space: o.space, Name: o.name, Request: o.request, Sealed: o.key.Seal(text, []byte(o.name)), Expires: now.Add(replayLife),
		}},
	}, nil
}

// isTwin reports whether a change failed since a request with the same key was
// faster.
func (o *once) isTwin(err error) bool {
	c, ok := errors.AsType[*store.ConflictError](err)
	return o != nil && ok && c.Step == 1
}

// noteReplay notes that there may be an answer that is kept from now on.
func (c *core) noteReplay(now time.Time) {
	over := now.Add(replayLife).UnixMilli()
	for was := c.replays.Load(); was < over && !c.replays.CompareAndSwap(was, over); was = c.replays.Load() {
	}
}

// dropReplays removes answers that are over, which would else stay until the next
// one is kept. It begins with those that the mark of the store tells of, and
// returns when ctx ends.
func (c *core) dropReplays(ctx context.Context) {
	c.noteReplay(time.UnixMilli(c.mark.Load()))
	ticker := time.NewTicker(replayLife)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.deleteReplays(ctx)
		}
	}
}

func (c *core) deleteReplays(ctx context.Context) {
	last := c.replays.Load()
	if last == 0 {
		return
	}
	now := c.now()
	err := c.store.Apply(ctx, store.Change{Steps: []store.Step{store.DeleteReplays{Until: now}}})
	if err == nil && last <= now.UnixMilli() { // else at the next turn
		c.replays.CompareAndSwap(last, 0)
	}
}
