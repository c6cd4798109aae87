package keyfob

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob/internal/audit"
	"github.com/keyfob-dev/keyfob/internal/lastuse"
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
}

// An Authority is the object with the verbs. It works in one space; In gives
// one for another space. It is safe for concurrent use.
type Authority struct {
	*core
	space string // name
}

// core is what the Authorities of all spaces share.
type core struct {
	store    store.Store
	keys     *keyring
	clock    func() time.Time
	closed   atomic.Bool
	spaceIDs sync.Map // name -> id; both never change and spaces stay
	uses     *lastuse.Recorder
	sealer   *audit.Sealer

	stop    context.CancelFunc // ends what runs beside the verbs
	running sync.WaitGroup     // and tells when it has
}

// Open starts an Authority on a store, in the space "default". It refuses a
// root key that is not the one of the store's records (ErrRootKey). Several
// Authorities, of one process or of many, may share a store that allows it.
func Open(ctx context.Context, config Config) (*Authority, error) {
	if config.Store == nil {
		return nil, badInput("Config.Store", "is not set; open one, as with sqlite.Open")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	keys, err := openKeyring(ctx, config.Store, config.RootKey)
	if err != nil {
		return nil, fmt.Errorf("keyfob: %w", err)
	}
	a := &Authority{
		core: &core{
			store: config.Store, keys: keys, clock: config.Now,
			uses: lastuse.NewRecorder(config.Store), sealer: audit.NewSealer(config.Store),
		},
		space: DefaultSpace,
	}
	for _, name := range []string{DefaultSpace, OwnSpace} {
		_, err := a.spaceID(ctx, name)
		if errors.Is(err, ErrSpace) {
			_, err = a.createSpace(WithActor(ctx, "keyfob"), Space{Name: name, Prefix: name})
		}
		if err != nil && !errors.Is(err, ErrExists) {
			return nil, fmt.Errorf("keyfob: make space %q: %w", name, err)
		}
	}
	a.start()
	return a, nil
}

// start begins what runs beside the verbs. Its life is the Authority's, and not
// that of the context of Open.
func (c *core) start() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.running.Go(func() { c.sealer.Run(ctx) })
	c.running.Go(func() { c.uses.Run(ctx) })
}

// Close ends the Authority in all its spaces: it stops what Open started, seals
// the events and writes the last uses that are left, until ctx ends. Verbs
// called later answer ErrUnavailable. The store stays open; close it afterwards.
func (a *Authority) Close(ctx context.Context) error {
	if a.closed.Swap(true) {
		return nil
	}
	a.stop()
	a.running.Wait() // no write of theirs goes on after its context
	if err := errors.Join(a.uses.Flush(ctx), a.sealer.Seal(ctx)); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// In returns an Authority for the space of that name. A space that does not
// exist is found out by its first verb, with ErrSpace.
func (a *Authority) In(space string) *Authority {
	return &Authority{core: a.core, space: space}
}

// now is the time of a verb: in UTC, and in whole milliseconds, as records
// keep it.
func (c *core) now() time.Time { return c.clock().UTC().Truncate(time.Millisecond) }

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

// event completes an event with what all have: id, actor, MAC.
func (c *core) event(ctx context.Context, e store.Event) (store.Event, error) {
	e.Actor = "process"
	if actor, ok := ctx.Value(actorKey{}).(string); ok {
		if err := checkNamed("actor", actor, maxActor); err != nil {
			return e, err
		}
		e.Actor = actor
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

// applyAll carries out the steps of a change together with its events. There is
// no other way for a verb to change a credential or a space, so that nothing
// changes without its event.
func (c *core) applyAll(ctx context.Context, events []store.Event, steps []store.Step) error {
	for i := range events {
		var err error
		if events[i], err = c.event(ctx, events[i]); err != nil {
			return err
		}
	}
	if err := c.store.Apply(ctx, store.Change{Steps: steps, Events: events}); err != nil {
		return err
	}
	c.sealer.Wake()
	return nil
}
