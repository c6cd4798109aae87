package storetest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/keyfob-dev/keyfob/store"
)

// touches touches the credential that a test finds, in a way of its own.
func touches(
	test func(c store.Credential, s store.TouchCredential) bool, set func(c *store.Credential, s store.TouchCredential),
) func(store.Store) store.Store {
	return modeled(func(m *model, s store.TouchCredential) bool {
		for i, c := range m.credentials {
			if c.ID == s.ID && test(c, s) {
				set(&m.credentials[i], s)
				return true
			}
		}
		return false
	})
}

// mayTouch is the condition of a TouchCredential.
func mayTouch(c store.Credential, s store.TouchCredential) bool {
	return c.Space == s.Space && c.Revision == s.Revision && c.State == store.StateActive && c.Seen.Equal(s.Was)
}

// setSeen is what a TouchCredential does.
func setSeen(c *store.Credential, s store.TouchCredential) { c.Seen = s.At }

// lookThenTouch looks whether a credential may be touched, and then touches it as
// it has become.
func lookThenTouch(s store.Store) store.Store {
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		for i, step := range change.Steps {
			if touch, ok := step.(store.TouchCredential); ok {
				if c := storedCredential(s, touch.Space, touch.ID); !mayTouch(c, touch) {
					return &store.ConflictError{Step: i}
				}
			}
		}
		for range 10 {
			runtime.Gosched()
		}
		return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if touch, ok := step.(store.TouchCredential); ok {
				touch.Was = storedCredential(s, touch.Space, touch.ID).Seen
				return touch
			}
			return step
		}))
	}}
}

// lateUpdates lets others go before each update, so that a revocation that is under
// way comes first.
func lateUpdates(open func(store.Store) store.Store) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		s = open(s)
		return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
			if _, ok := change.Steps[0].(store.UpdateCredential); ok {
				for range 1000 {
					runtime.Gosched()
				}
			}
			return s.Apply(ctx, change)
		}}
	}
}

// updates updates credentials rightly but for what fn does with what is new and
// what was there.
func updates(fn func(c *store.Credential, old store.Credential)) func(store.Store) store.Store {
	return modeled(func(m *model, s store.UpdateCredential) bool {
		i := slices.IndexFunc(m.credentials, func(c store.Credential) bool { return c.ID == s.Credential.ID })
		if i < 0 {
			return false
		}
		old := m.credentials[i]
		if !m.updateCredential(s.Credential) {
			return false
		}
		c := s.Credential
		fn(&c, old)
		m.credentials[i].Idle, m.credentials[i].Seen = c.Idle, c.Seen
		return true
	})
}

// revokes revokes the credentials that a test finds, in a way of its own.
func revokes(
	test func(s store.RevokeSubject, c store.Credential) bool, set func(c *store.Credential, s store.RevokeSubject),
) func(store.Store) store.Store {
	return modeled(func(m *model, s store.RevokeSubject) bool {
		for i, c := range m.credentials {
			if test(s, c) {
				set(&m.credentials[i], s)
			}
		}
		m.revocations = append(m.revocations, s)
		return true
	})
}

// mayRevoke reports whether a RevokeSubject revokes a credential.
func mayRevoke(s store.RevokeSubject, c store.Credential) bool {
	return concerns(s, c) && !c.State.Final()
}

// setRevoked is what a RevokeSubject does.
func setRevoked(c *store.Credential, s store.RevokeSubject) { *c = revoked(*c, s) }

// bySubject reports whether it was a RevokeSubject that revoked a credential.
func bySubject(m *model, c store.Credential) bool {
	return c.State == store.StateRevoked && slices.ContainsFunc(m.revocations, func(r store.RevokeSubject) bool {
		return concerns(r, c) && r.Reason == c.Reason && r.At.Equal(c.Updated)
	})
}

// ignoresRevocations carries out the steps of one type as if no subject had ever
// been revoked, and then makes of their credentials what they were, but for what
// keep keeps of the step.
func ignoresRevocations[S store.Step](keep func(c *store.Credential, after store.Credential)) func(store.Store) store.Store {
	return modeled(func(m *model, step S) bool {
		was := slices.Clone(m.credentials)
		for i, c := range was {
			if bySubject(m, c) {
				m.credentials[i].State = store.StateActive
			}
		}
		if !m.step(step) {
			return false
		}
		for i, c := range was {
			if bySubject(m, c) {
				after := m.credentials[i]
				m.credentials[i] = c
				keep(&m.credentials[i], after)
			}
		}
		return true
	})
}

// asWritten remembers what the steps of changes wrote of each credential, as a
// store would that worked out what RevokeSubject makes of it in some places only.
type asWritten struct {
	mu          sync.Mutex
	credentials map[string]store.Credential
}

func (w *asWritten) apply(s store.Store) func(context.Context, store.Change) error {
	return func(ctx context.Context, change store.Change) error {
		err := s.Apply(ctx, change)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, step := range change.Steps {
			switch step := step.(type) {
			case store.CreateCredential:
				if err == nil {
					w.credentials[step.Credential.ID] = step.Credential
				}
			case store.UpdateCredential:
				if err == nil {
					w.credentials[step.Credential.ID] = step.Credential
				}
			}
		}
		return err
	}
}

// restore gives a credential the state that was written.
func (w *asWritten) restore(c *store.Credential) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if written, ok := w.credentials[c.ID]; ok {
		c.State, c.Reason, c.Updated = written.State, written.Reason, written.Updated
	}
}

// reads breaks reads, given what steps wrote of the credentials.
func reads(fn func(s store.Store, w *asWritten, b *broken)) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		w := &asWritten{credentials: map[string]store.Credential{}}
		b := &broken{Store: s, apply: w.apply(s)}
		fn(s, w, b)
		return b
	}
}

// listsBy narrows lists by a test of credentials as they were written, instead of
// by the fields that widen clears.
func listsBy(test func(store.Query, store.Credential) bool, widen func(*store.Query)) func(store.Store) store.Store {
	return reads(func(s store.Store, w *asWritten, b *broken) {
		b.credentials = narrowsWrong(func(q store.Query, c store.Credential) bool {
			w.restore(&c)
			return test(q, c)
		}, widen)(s).Credentials
	})
}

// revocationsMoved moves the revocations of a change behind all other steps, or with
// first before them.
func revocationsMoved(first bool) func(store.Store) store.Store {
	return onApply(func(s store.Store, ctx context.Context, change store.Change) error {
		revocation := func(step store.Step) bool { _, ok := step.(store.RevokeSubject); return ok }
		rest := slices.DeleteFunc(slices.Clone(change.Steps), revocation)
		moved := slices.DeleteFunc(slices.Clone(change.Steps), func(step store.Step) bool { return !revocation(step) })
		if first {
			change.Steps = append(moved, rest...)
		} else {
			change.Steps = append(rest, moved...)
		}
		return s.Apply(ctx, change)
	})
}

// lookThenRevoke looks which credentials there are, and then revokes those.
func lookThenRevoke(store.Store) store.Store {
	s := &modelStore{model: &model{}}
	var mu sync.Mutex
	known := map[store.RevokeSubject][]string{}
	s.step = func(m *model, step store.Step) (holds, done bool) {
		r, ok := step.(store.RevokeSubject)
		if !ok {
			return false, false
		}
		mu.Lock()
		defer mu.Unlock()
		for i, c := range m.credentials {
			if slices.Contains(known[r], c.ID) && mayRevoke(r, c) {
				setRevoked(&m.credentials[i], r)
			}
		}
		m.revocations = append(m.revocations, r)
		return true, true
	}
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		for _, step := range change.Steps {
			if r, ok := step.(store.RevokeSubject); ok {
				items, _ := s.Credentials(ctx, store.Query{Space: r.Space, Limit: everything})
				mu.Lock()
				known[r] = idsOf(items)
				mu.Unlock()
				for range 10 {
					runtime.Gosched()
				}
			}
		}
		return s.Apply(ctx, change)
	}}
}

// oneRevocation counts revocations first, and refuses one where there was another
// meanwhile.
func oneRevocation(s store.Store) store.Store {
	var begun atomic.Int64
	return onApply(func(s store.Store, ctx context.Context, change store.Change) error {
		for i, step := range change.Steps {
			if _, ok := step.(store.RevokeSubject); ok {
				number := begun.Add(1)
				for range 10 {
					runtime.Gosched()
				}
				if begun.Load() != number {
					return &store.ConflictError{Step: i}
				}
			}
		}
		return s.Apply(ctx, change)
	})(s)
}

// lookThenCreate looks whether a subject was revoked, and then forgets that it did.
func lookThenCreate(s store.Store) store.Store {
	return &broken{Store: s, apply: func(ctx context.Context, change store.Change) error {
		for i, step := range change.Steps {
			if _, ok := step.(store.RequireUnrevoked); ok && s.Apply(ctx, one(step)) != nil {
				return &store.ConflictError{Step: i}
			}
		}
		for range 10 {
			runtime.Gosched()
		}
		return s.Apply(ctx, withStep(change, func(step store.Step) store.Step {
			if _, ok := step.(store.RequireUnrevoked); ok {
				return nothing
			}
			return step
		}))
	}}
}
