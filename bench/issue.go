package main

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/sqlite"
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
			name:    "bare driver, the rows of 16 keys a transaction : of 1 key",
			prepare: (*env).bareIssues,
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

// The rows of an issued key, as keyfob writes them.
var rowsOfKey = []string{
	`INSERT INTO credentials (id, space, kind, subject, purpose, binding, name, scopes, attributes,
		state, reason, revision, created, current, previous)
	VALUES (?1, 'default', 'apikey', 'alice', '', '', '', '["read"]', '{}', 'active', '', 1, ?2, ?1, '')`,

	`INSERT INTO versions (id, credential, space, number, prefix, digest, root_key, created)
	VALUES (?1, last_insert_rowid(), 'default', 1, 'default', randomblob(32), 1, ?2)`,

	`INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac)
	VALUES (?1, 'default', ?2, 'process', 'apikey.issued', ?1, ?1, 'alice', '', 1, randomblob(32))`,
}

// bareIssues inserts the rows of keys into databases of keyfob's, by the bare driver:
// those of 16 keys in a transaction, beside those of one. It is what sharing a flush
// can give on this disk to a writer that never waits for a caller.
func (e *env) bareIssues() (ours, peer side, err error) {
	if ours, err = e.inserting(16); err == nil {
		peer, err = e.inserting(1)
	}
	return ours, peer, err
}

func (e *env) inserting(keys int) (s side, err error) {
	db, err := e.bareKeyfob()
	if err != nil {
		return s, err
	}
	var stmts []*sqlite3.Stmt
	for _, sql := range append([]string{`BEGIN IMMEDIATE`, `COMMIT`}, rowsOfKey...) {
		stmt, _, err := db.Prepare(sql)
		if err != nil {
			return s, err
		}
		e.onEnd(stmt.Close)
		stmts = append(stmts, stmt)
	}
	return side{per: keys, run: func(n int) error {
		for range n {
			if err := insertKeys(stmts[0], stmts[1], stmts[2:], keys); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// bareKeyfob is a new database of keyfob's, opened by the bare driver.
func (e *env) bareKeyfob() (*sqlite3.Conn, error) {
	dir, err := e.folder()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, databaseName)
	st, err := sqlite.Open(path) // makes the tables
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		return nil, err
	}
	db, err := sqlite3.Open(path)
	if err != nil {
		return nil, err
	}
	e.onEnd(db.Close)
	return db, db.Exec(`PRAGMA synchronous = FULL`)
}

// insertKeys inserts the rows of so many keys in one transaction.
func insertKeys(begin, commit *sqlite3.Stmt, rows []*sqlite3.Stmt, keys int) error {
	if err := begin.Exec(); err != nil {
		return err
	}
	for range keys {
		id, now := token.NewID(), time.Now().UnixMilli()
		for _, stmt := range rows {
			err := errors.Join(stmt.BindText(1, id), stmt.BindInt64(2, now))
			if err == nil {
				err = stmt.Exec()
			}
			if err != nil {
				return err
			}
		}
	}
	return commit.Exec()
}

// bareInsert inserts one row a transaction, which is on the disk afterwards, too.
func (e *env) bareInsert() (s side, err error) {
	db, err := e.bareDatabase(`CREATE TABLE things (id TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`)
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
