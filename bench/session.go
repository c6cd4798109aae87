package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/session"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// signedIn is the session of alice, who chose a theme.
var signedIn = keyfob.Session{Subject: "alice", Attributes: map[string]string{"theme": "dark"}}

func sessionRows() []row {
	return []row{
		{
			name:    "session load in memory : scs, memstore",
			targets: []target{{cpu, atLeast, 8}, {allocs, fewer, 0}},
			turn:    steady,
			prepare: (*env).loadInMemory,
		},
		{
			name:    "session load on SQLite : scs, sqlite3store",
			targets: []target{{cpu, atLeast, 4}, {allocs, fewer, 0}},
			turn:    steady,
			prepare: func(e *env) (side, side, error) { return e.loadOnSQLite(keyfob.Config{}) },
		},
		{
			name:    "session load on SQLite, uncached : scs, sqlite3store",
			prepare: func(e *env) (side, side, error) { return e.loadOnSQLite(keyfob.Config{MaxStaleness: -1}) },
		},
		{
			name:    "read-only request on SQLite, with an idle time : scs, sqlite3store",
			targets: []target{{cpu, atLeast, 6}, {allocs, atMost, 0.1}},
			turn:    steady,
			prepare: (*env).readOnlyOnSQLite,
		},
		{
			name:    "sign out everywhere, with 100,000 sessions : with one",
			targets: []target{{cpu, atMost, 2}, {wall, atMost, 2}},
			prepare: (*env).signOutEverywhere,
		},
	}
}

// sessionsOf issues n sessions and returns their tokens.
func (e *env) sessionsOf(a *keyfob.Authority, n int) ([]string, error) {
	tokens := make([]string, n)
	err := together(64, n, func(i int) error {
		s, err := a.Issue(e.ctx, signedIn)
		if err == nil {
			tokens[i] = s.Secret.Reveal()
		}
		return err
	})
	return tokens, err
}

// peerSessions makes as many of scs, each with the same in it.
func (e *env) peerSessions(m *scs.SessionManager, n int) ([]string, error) {
	tokens := make([]string, n)
	for i := range tokens {
		ctx, err := m.Load(e.ctx, "")
		if err != nil {
			return nil, err
		}
		m.Put(ctx, "subject", signedIn.Subject)
		m.Put(ctx, "theme", signedIn.Attributes["theme"])
		if tokens[i], _, err = m.Commit(ctx); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// sessions is how many are loaded, one after the other.
const sessions = 1000

func (e *env) loadInMemory() (ours, peer side, err error) {
	dir, err := e.folder()
	if err != nil {
		return ours, peer, err
	}
	a, err := e.newAuthority(memory.Open(), dir, keyfob.Config{})
	if err != nil {
		return ours, peer, err
	}
	m := scs.New()
	m.Store = memstore.NewWithCleanupInterval(0)
	return e.loading(a, m)
}

func (e *env) loadOnSQLite(config keyfob.Config) (ours, peer side, err error) {
	a, _, err := e.newSQLite(config)
	if err != nil {
		return ours, peer, err
	}
	m, err := e.peerOnSQLite()
	if err != nil {
		return ours, peer, err
	}
	return e.loading(a, m)
}

// peerOnSQLite is scs on its own SQLite store, by a driver without the C library, which
// is the one that keyfob's store has as well. Its database is not flushed at each
// commit.
func (e *env) peerOnSQLite() (*scs.SessionManager, error) {
	dir, err := e.folder()
	if err != nil {
		return nil, err
	}
	db, err := driver.Open("file:" + filepath.Join(dir, "scs.db") + "?_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	e.onEnd(db.Close)
	m := scs.New()
	m.Store = sqlite3store.NewWithCleanupInterval(db, 0)
	return m, peerTable(db)
}

// peerTable makes the table that sqlite3store documents.
func peerTable(db *sql.DB) error {
	_, err := db.Exec(`
		CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
		CREATE INDEX sessions_expiry_idx ON sessions(expiry)`)
	return err
}

// loading verifies sessions of ours, and loads those of scs, until who has signed in
// is known.
func (e *env) loading(a *keyfob.Authority, m *scs.SessionManager) (ours, peer side, err error) {
	tokens, err := e.sessionsOf(a, e.size(sessions))
	if err != nil {
		return ours, peer, err
	}
	peers, err := e.peerSessions(m, e.size(sessions))
	if err != nil {
		return ours, peer, err
	}
	ours.run = func(n int) error {
		for i := range n {
			c, err := a.Verify(e.ctx, tokens[i*stride%len(tokens)], keyfob.Check{Kind: keyfob.KindSession})
			if err != nil || c.Subject != "alice" {
				return errors.Join(err, errNotAlice)
			}
		}
		return nil
	}
	peer.run = func(n int) error {
		for i := range n {
			ctx, err := m.Load(e.ctx, peers[i*stride%len(peers)])
			if err != nil || m.GetString(ctx, "subject") != "alice" {
				return errors.Join(err, errNotAlice)
			}
		}
		return nil
	}
	return ours, peer, ours.run(len(tokens)) // the cache has them afterwards
}

var errNotAlice = errors.New("a session is not that of alice")

// readOnlyOnSQLite answers requests that read who has signed in, with a session that
// ends when it was idle for half an hour.
func (e *env) readOnlyOnSQLite() (ours, peer side, err error) {
	a, _, err := e.newSQLite(keyfob.Config{})
	if err != nil {
		return ours, peer, err
	}
	tokens, err := e.sessionsOf(a, e.size(sessions))
	if err != nil {
		return ours, peer, err
	}
	m, err := e.peerOnSQLite()
	if err != nil {
		return ours, peer, err
	}
	m.IdleTimeout = 30 * time.Minute
	peers, err := e.peerSessions(m, e.size(sessions))
	if err != nil {
		return ours, peer, err
	}
	ours = reading("__Host-session", tokens, session.New(a, session.Config{}).Handler, session.Subject)
	peer = reading(m.Cookie.Name, peers, m.LoadAndSave, func(r *http.Request) string { return m.GetString(r.Context(), "subject") })
	return ours, peer, ours.run(len(tokens))
}

// reading sends requests with these cookies through a middleware.
func reading(cookie string, tokens []string, middleware func(http.Handler) http.Handler, subject func(*http.Request) string) side {
	read := 0
	h := middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subject(r) == "alice" {
			read++
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	requests := make([]*http.Request, len(tokens))
	for i := range requests {
		requests[i] = httptest.NewRequest("GET", "https://app.example/account", nil)
		requests[i].Header.Set("Cookie", cookie+"="+tokens[i])
	}
	w := &discardWriter{header: http.Header{}}
	return side{run: func(n int) error {
		read = 0
		for i := range n {
			clear(w.header)
			h.ServeHTTP(w, requests[i*stride%len(requests)])
		}
		if read != n {
			return fmt.Errorf("%d of %d requests were alice's, status %d: %w", read, n, w.status, errNotAlice)
		}
		return nil
	}}
}

// signOutEverywhere ends all sessions of a subject that has many, and of one that has
// one.
func (e *env) signOutEverywhere() (ours, peer side, err error) {
	if ours, err = e.signingOut(e.size(100_000)); err == nil {
		peer, err = e.signingOut(1)
	}
	return ours, peer, err
}

func (e *env) signingOut(n int) (s side, err error) {
	a, _, err := e.newSQLite(keyfob.Config{})
	if err != nil {
		return s, err
	}
	tokens, err := e.sessionsOf(a, n)
	if err != nil {
		return s, err
	}
	s.run = func(times int) error {
		for range times {
			if err := a.RevokeSubject(e.ctx, "alice", "password reset", keyfob.KindSession); err != nil {
				return err
			}
		}
		for _, text := range []string{tokens[0], tokens[len(tokens)-1]} {
			_, err := a.Verify(e.ctx, text, keyfob.Check{Kind: keyfob.KindSession})
			if !errors.Is(err, keyfob.ErrRevoked) {
				return fmt.Errorf("a session is still there: %w", errors.Join(err, errNotAlice))
			}
		}
		return nil
	}
	return s, nil
}
