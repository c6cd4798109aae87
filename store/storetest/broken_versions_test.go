package storetest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/keyfob-dev/keyfob/store"
)

// onVersions breaks what Versions returns.
func onVersions(fn func([]store.Version) []store.Version) func(store.Store) store.Store {
	return func(s store.Store) store.Store {
		return &broken{Store: s, versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			versions, err := s.Versions(ctx, space, credential)
			if err == nil {
				versions = fn(versions)
			}
			return versions, err
		}}
	}
}

// anyVersions finds the versions of credentials of other spaces.
func anyVersions(s store.Store) store.Store {
	var spaces sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateVersion); ok && err == nil {
					spaces.Store(create.Version.Credential, create.Version.Space)
				}
			}
			return err
		},
		versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			if other, ok := spaces.Load(credential); ok {
				space = other.(string)
			}
			return s.Versions(ctx, space, credential)
		},
	}
}

// tornVersions reads each version of a credential at another moment, between which
// it lets others have their way.
func tornVersions(s store.Store) store.Store {
	var changes atomic.Int64
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			defer changes.Add(1)
			return s.Apply(ctx, change)
		},
		versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			before := changes.Load()
			versions, err := s.Versions(ctx, space, credential)
			for n := 0; n < 1000 && changes.Load() == before; n++ {
				runtime.Gosched()
			}
			for i := range versions {
				if found, err := s.Version(ctx, space, versions[i].ID); err == nil {
					versions[i] = found.Version
				}
			}
			return versions, err
		},
	}
}

// keepsSealed answers with the sealed secrets that the caller passed.
func keepsSealed(s store.Store) store.Store {
	var sealed sync.Map
	return &broken{
		Store: s,
		apply: func(ctx context.Context, change store.Change) error {
			err := s.Apply(ctx, change)
			for _, step := range change.Steps {
				if create, ok := step.(store.CreateVersion); ok && err == nil {
					sealed.Store(create.Version.ID, create.Version.Sealed)
				}
			}
			return err
		},
		versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			versions, err := s.Versions(ctx, space, credential)
			for i := range versions {
				if kept, ok := sealed.Load(versions[i].ID); ok {
					versions[i].Sealed = kept.([]byte)
				}
			}
			return versions, err
		},
	}
}
