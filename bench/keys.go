package main

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// Files of a data directory, as keyfob serve names them.
const (
	databaseName = "keyfob.db"
	rootKeyName  = "root.key"
)

// newAuthority opens an Authority on a store, for the time of the row.
func (e *env) newAuthority(st store.Store, dir string, config keyfob.Config) (*keyfob.Authority, error) {
	var err error
	if config.RootKey, err = keyfob.CreateRootKey(filepath.Join(dir, rootKeyName)); err != nil {
		return nil, err
	}
	config.Store = st
	a, err := keyfob.Open(e.ctx, config)
	if err == nil {
		e.onEnd(func() error { return closeAuthority(a) })
	}
	return a, err
}

func closeAuthority(a *keyfob.Authority) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return a.Close(ctx)
}

// newSQLite is newAuthority on a new database, whose path it returns as well.
func (e *env) newSQLite(config keyfob.Config) (a *keyfob.Authority, path string, err error) {
	dir, err := e.folder()
	if err != nil {
		return nil, "", err
	}
	path = filepath.Join(dir, databaseName)
	st, err := sqlite.Open(path)
	if err != nil {
		return nil, "", err
	}
	e.onEnd(st.Close)
	a, err = e.newAuthority(st, dir, config)
	return a, path, err
}

// issue issues n API keys and returns their tokens.
func issue(ctx context.Context, a *keyfob.Authority, n int, key keyfob.APIKey) ([]string, error) {
	tokens := make([]string, n)
	err := together(64, n, func(i int) error {
		k, err := a.Issue(ctx, key)
		if err == nil {
			tokens[i] = k.Secret.Reveal()
		}
		return err
	})
	return tokens, err
}

// together calls f with 0 to n-1, from several goroutines that share the numbers
// among them, and returns the first error of one of them.
func together(goroutines, n int, f func(i int) error) error {
	errs := make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < n && errs[g] == nil; i += goroutines {
				errs[g] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
