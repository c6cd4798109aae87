package main

import (
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

func issueRows() []row {
	return []row{
		{
			name:    "Issue on SQLite, 16 callers : 1 caller",
			targets: []target{{wall, atLeast, 4}},
			prepare: func(e *env) (ours, peer side, err error) {
				a, _, err := e.newSQLite(keyfob.Config{})
				return e.issuing(a, 16), e.issuing(a, 1), err
			},
		},
		{
			name:    "Issue on SQLite, 1 caller : bare insert of a row",
			prepare: func(e *env) (side, side, error) { return e.issueBesideInsert(1) },
		},
		{
			name:    "Issue on SQLite, 16 callers : bare insert of a row",
			prepare: func(e *env) (side, side, error) { return e.issueBesideInsert(16) },
		},
	}
}

// issuing is Issue from so many callers at once, each of whom waits until its key
// is on the disk.
func (e *env) issuing(a *keyfob.Authority, callers int) side {
	return side{per: callers, run: func(n int) error {
		return together(callers, n*callers, func(int) error {
			_, err := a.Issue(e.ctx, alice)
			return err
		})
	}}
}

func (e *env) issueBesideInsert(callers int) (ours, peer side, err error) {
	a, _, err := e.newSQLite(keyfob.Config{})
	if err != nil {
		return ours, peer, err
	}
	peer, err = e.bareInsert()
	return e.issuing(a, callers), peer, err
}

// bareInsert inserts one row a transaction, which is on the disk afterwards, too.
func (e *env) bareInsert() (s side, err error) {
	dir, err := e.folder()
	if err != nil {
		return s, err
	}
	db, err := sqlite3.Open(filepath.Join(dir, "bare.db"))
	if err != nil {
		return s, err
	}
	e.onEnd(db.Close)
	err = db.Exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		CREATE TABLE things (id TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`)
	if err != nil {
		return s, err
	}
	stmt, _, err := db.Prepare(`INSERT INTO things (id, value) VALUES (?1, ?2)`)
	if err != nil {
		return s, err
	}
	e.onEnd(stmt.Close)
	s.run = func(n int) error {
		for range n {
			if err := insert(stmt, token.NewID()); err != nil {
				return err
			}
		}
		return nil
	}
	return s, nil
}

func insert(stmt *sqlite3.Stmt, id string) error {
	if err := stmt.BindText(1, id); err != nil {
		return err
	}
	if err := stmt.BindBlob(2, []byte(id+id)); err != nil {
		return err
	}
	return stmt.Exec()
}
