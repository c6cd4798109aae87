package keyfob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/internal/cache"
	"github.com/keyfob-dev/keyfob/internal/lastuse"
	"github.com/keyfob-dev/keyfob/internal/ratelimit"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/token"
)

// The spaces that exist from the start.
const (
	DefaultSpace = "default" // what nobody has to name
	OwnSpace     = "keyfob"  // of the keys of the server's own callers
)

// A Config says what an Authority works with.
type Config struct {
	// Store is where records live; for instance sqlite.Open's. It stays the
	// caller's to close. Required.
	Store store.Store

	// RootKey is what every digest hangs on; see CreateRootKey. Required.
	RootKey RootKey

	// Now tells the time; nil is time.Now.
	Now func() time.Time

	// MaxStaleness is how old the knowledge may be that a verification is decided
	// on, up to a minute; 0 is a second. What this Authority changed it knows at
	// once; the bound is for what others change in the same store. A credential
	// of which less is known is read from the store; if that fails, the
	// verification does. Negative: the store is asked each time.
	MaxStaleness time.Duration

	// CacheSize is of how many versions the knowledge is kept; 0 is 100,000. One
	// takes about a kilobyte, and as much more as its attributes do, up to 70.
	CacheSize int
}

// An Authority is the object with the verbs. It works in one space; In gives
// one for another space. It is safe for concurrent use.
type Authority struct {
	*core
	space string // name
	id    string // of the space; empty where In did not know it yet
}

// core is what the Authorities of all spaces share.
type core struct {
	store    store.Store
	keys     *keyring
	clock    func() time.Time
	realTime bool // clock is time.Now
	closed   atomic.Bool
	spaceIDs sync.Map     // name -> id; both never change and spaces stay
	mark     atomic.Int64 // highest time of a verb, in Unix milliseconds
	written  atomic.Int64 // and the highest that the store was told of
	replays  atomic.Int64 // when the last of the answers that are kept is over; 0: there is none
	uses     *lastuse.Recorder
	recorded atomic.Pointer[cache.Recorded] // the last one that was made
	meters   *ratelimit.Meters
	sealer   *audit.Sealer

	cache        *cache.Cache // nil: none
	maxStaleness time.Duration

	stop    context.CancelFunc // ends what runs beside the verbs
	running sync.WaitGroup     // and tells when it has

	closing  sync.Once
	closeErr error
}

// Open starts an Authority on a store, in the space "default". It refuses a
// root key that is not the one of the store's records (ErrRootKey). Several
// Authorities, of one process or of many, may share a store that allows it.
func Open(ctx context.Context, config Config) (*Authority, error) {
	if config.Store == nil {
		return nil, badInput("Config.Store", "is not set; open one, as with sqlite.Open")
	}
	realTime := config.Now == nil
	if err := config.setDefaults(); err != nil {
		return nil, err
	}
	keys, err := openKeyring(ctx, config.Store, config.RootKey)
	if err != nil {
		return nil, fmt.Errorf("keyfob: %w", err)
	}
	st, known := config.Store, (*cache.Cache)(nil)
	if config.MaxStaleness > 0 {
		known = cache.New(config.CacheSize)
		st = &watched{st, known}
	}
	a := &Authority{
		core: &core{
			store: st, cache: known, keys: keys, clock: config.Now, realTime: realTime,
			uses: lastuse.NewRecorder(st), sealer: audit.NewSealer(st),
			meters: ratelimit.NewMeters(maxMeters), maxStaleness: config.MaxStaleness,
		},
		space: DefaultSpace,
	}
	if err := a.prepare(ctx); err != nil {
		return nil, fmt.Errorf("keyfob: %w", err)
	}
	a.start()
	return a.In(DefaultSpace), nil
}

// prepare reads what is needed of the store, and makes in it what has to be there.
func (c *core) prepare(ctx context.Context) error {
	if err := c.readMark(ctx); err != nil {
		return err
	}
	for _, name := range []string{DefaultSpace, OwnSpace} {
		_, err := c.spaceID(ctx, name)
		if errors.Is(err, ErrSpace) {
			_, err = c.createSpace(WithActor(ctx, "keyfob"), Space{Name: name, Prefix: name})
		}
		if err != nil && !errors.Is(err, ErrExists) {
			return fmt.Errorf("make space %q: %w", name, err)
		}
	}
	return nil
}

// setDefaults fills in what is zero, and refuses what is wrong.
func (c *Config) setDefaults() error {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxStaleness == 0 {
		c.MaxStaleness = time.Second
	}
	if c.MaxStaleness > time.Minute {
		return badInput("Config.MaxStaleness", "is %v; it is at most a minute", c.MaxStaleness)
	}
	if c.CacheSize == 0 {
		c.CacheSize = 100_000
	}
	if c.CacheSize < 0 {
		return badInput("Config.CacheSize", "is negative; for no cache set MaxStaleness to -1")
	}
	return nil
}

// maxMeters is how many credentials may be in the midst of their limit.
const maxMeters = 1 << 20

// start begins what runs beside the verbs. Its life is the Authority's, and not
// that of the context of Open.
func (c *core) start() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.running.Go(func() { c.sealer.Run(ctx) })
	c.running.Go(func() { c.uses.Run(ctx) })
	c.running.Go(func() { c.keepMark(ctx) })
	c.running.Go(func() { c.dropReplays(ctx) })
	if c.cache != nil {
		c.running.Go(func() { c.cache.Follow(ctx, c.store) })
	}
}

// Close ends the Authority in all its spaces: it stops what Open started, seals
// the events and writes the last uses that are left, until ctx ends. Verbs
// called later answer ErrUnavailable. The store stays open; close it afterwards.
func (a *Authority) Close(ctx context.Context) error {
	a.closed.Store(true)
	a.closing.Do(func() { a.closeErr = a.end(ctx) })
	return a.closeErr
}

// end ends what start began.
func (a *Authority) end(ctx context.Context) error {
	a.stop()
	a.running.Wait() // no write of theirs goes on after its context
	if err := errors.Join(a.uses.Flush(ctx), a.writeMark(ctx), a.sealer.Seal(ctx)); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// In returns an Authority for the space of that name. A space that does not
// exist is found out by its first verb, with ErrSpace.
func (a *Authority) In(space string) *Authority {
	id, _ := a.spaceIDs.Load(space)
	known, _ := id.(string)
	return &Authority{core: a.core, space: space, id: known}
}

// ownID is spaceID of the Authority's own space.
func (a *Authority) ownID(ctx context.Context) (string, error) {
	if a.id != "" && !a.closed.Load() {
		return a.id, nil
	}
	return a.spaceID(ctx, a.space)
}

// spaceID returns the id of a space, which keys every record of it.
func (c *core) spaceID(ctx context.Context, name string) (string, error) {
	if c.closed.Load() {
		return "", fmt.Errorf("%w: the authority is closed", ErrUnavailable)
	}
	if id, ok := c.spaceIDs.Load(name); ok {
		return id.(string), nil
	}
	s, err := c.lookUpSpace(ctx, name)
	if err != nil {
		return "", err
	}
	return s.ID, nil
}

// lookUpSpace reads a space as it is now.
func (c *core) lookUpSpace(ctx context.Context, name string) (store.Space, error) {
	if c.closed.Load() {
		return store.Space{}, fmt.Errorf("%w: the authority is closed", ErrUnavailable)
	}
	if checkSpaceName(name) != nil {
		// What is no name may be a token, pasted by mistake: it is neither
		// looked up nor repeated.
		return store.Space{}, fmt.Errorf("%w: a name has 1 to 63 of a-z, 0-9 and -", ErrSpace)
	}
	s, err := c.store.Space(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return store.Space{}, fmt.Errorf("%w: %q", ErrSpace, name)
	}
	if err != nil {
		return store.Space{}, fmt.Errorf("read space: %w", err)
	}
	c.spaceIDs.Store(s.Name, s.ID)
	return s, nil
}

type actorKey struct{}

// WithActor returns a context whose changes are recorded as made by actor: an
// opaque name of the application's, such as a user's id. It is part of each
// event. Without it the actor is "process".
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// actorOf is who makes the changes of a context.
func actorOf(ctx context.Context) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		return actor
	}
	return "process"
}

// event completes an event with what all have: id, actor, MAC.
func (c *core) event(ctx context.Context, e store.Event) (store.Event, error) {
	e.Actor = actorOf(ctx)
	if err := checkNamed("actor", e.Actor, maxActor); err != nil {
		return e, err
	}
	e.ID = token.NewID()
	e.RootKey = c.keys.active
	e.MAC = audit.MAC(c.keys.now().audit, &e)
	return e, nil
}

// apply carries out the steps of a change together with its event.
func (c *core) apply(ctx context.Context, e store.Event, steps ...store.Step) error {
	return c.applyAll(ctx, []store.Event{e}, steps)
}

// forget ends what is known of a credential: before something is acknowledged that
// another may have done.
func (c *core) forget(credential string) {
	if c.cache != nil {
		c.cache.Invalidate(credential)
	}
}

// applyAll carries out the steps of a change together with its events. There is
// no other way for a verb to change a credential or a space, so that nothing
// changes without its event.
func (c *core) applyAll(ctx context.Context, events []store.Event, steps []store.Step) error {
	mark := int64(0)
	for i := range events {
		var err error
		if events[i], err = c.event(ctx, events[i]); err != nil {
			return err
		}
		mark = max(mark, events[i].Time.UnixMilli())
	}
	if mark > c.written.Load() {
		steps = append(slices.Clip(steps), store.RaiseMark{To: time.UnixMilli(mark).UTC()})
	}
	err := c.store.Apply(ctx, store.Change{Steps: steps, Events: events})
	// Whatever came of it: what is known may be wrong now.
	for i := range events {
		if c.cache != nil {
			c.cache.InvalidateAbout(&events[i])
		}
	}
	if err != nil {
		return err
	}
	c.noteWritten(mark)
	c.sealer.Wake()
	return nil
}
