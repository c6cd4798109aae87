package main

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/otp"
	"github.com/keyfob-dev/keyfob/token"
)

func oneTimeRows() []row {
	return []row{
		{
			name:    "Issue and Redeem of a link on SQLite : the bare driver's two transactions of the same rows",
			targets: []target{{wall, atMost, 1.5}},
			prepare: func(e *env) (side, side, error) { return e.linkBeside(e.bareSameLinks) },
		},
		{
			name:    "Issue and Redeem of a link on SQLite : the bare driver's two of the least rows",
			prepare: func(e *env) (side, side, error) { return e.linkBeside(e.bareLinks) },
		},
		{
			name:    "Redeem of a TOTP on SQLite : Verify and one conditional update",
			targets: []target{{wall, atMost, 2}},
			prepare: (*env).totpBesideUpdate,
		},
	}
}

// linkBeside issues and redeems links, each of another subject, beside the bare
// driver that does something of the kind, in two synced transactions.
func (e *env) linkBeside(bare func() (side, error)) (ours, peer side, err error) {
	a, _, err := e.newSQLite(keyfob.Config{})
	if err != nil {
		return ours, peer, err
	}
	ours.run = func(n int) error {
		for range n {
			l, err := a.Issue(e.ctx, keyfob.Link{Subject: token.NewID(), Purpose: "login"})
			if err != nil {
				return err
			}
			_, err = a.Redeem(e.ctx, keyfob.Attempt{Kind: keyfob.KindLink, Purpose: "login", Secret: l.Secret})
			if err != nil {
				return err
			}
		}
		return nil
	}
	peer, err = bare()
	return ours, peer, err
}

// What is written of a link at the least: a row that is found by its id, and by its
// subject to end its siblings, and a row of a log for each of its two changes.
var bareLink = [][]string{
	{
		`INSERT INTO links (id, subject, purpose, digest, expires, state) VALUES (?1, ?1, 'login', randomblob(32), 0, 'active')`,
		`INSERT INTO log (link, what, mac) VALUES (?1, 'link.issued', randomblob(32))`,
	},
	{
		`UPDATE links SET state = 'redeemed' WHERE id = ?1 AND state = 'active'`,
		`INSERT INTO log (link, what, mac) VALUES (?1, 'link.redeemed', randomblob(32))`,
	},
}

// bareLinks writes bareLink.
func (e *env) bareLinks() (s side, err error) {
	db, err := e.bareDatabase(`
		CREATE TABLE links (id TEXT PRIMARY KEY, subject TEXT NOT NULL, purpose TEXT NOT NULL, digest BLOB NOT NULL,
			expires INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
		CREATE INDEX links_of_subject ON links (subject, purpose);
		CREATE TABLE log (number INTEGER PRIMARY KEY, link TEXT NOT NULL, what TEXT NOT NULL, mac BLOB NOT NULL) STRICT`)
	if err != nil {
		return s, err
	}
	return e.transactions(db, bareLink)
}

// sameLink writes into keyfob's tables what keyfob writes of a link.
var sameLink = [][]string{
	{
		`INSERT INTO credentials (id, space, kind, subject, purpose, binding, name, scopes, attributes,
			expires, state, reason, revision, created, current, previous)
		VALUES (?1, 'default', 'link', ?1, 'login', '', '', '[]', '{}', 0, 'active', '', 1, 0, ?1, '')`,
		`INSERT INTO versions (id, credential, space, number, prefix, digest, root_key, created)
		VALUES (?1, last_insert_rowid(), 'default', 1, 'default', randomblob(32), 1, 0)`,
		sameEvent, sameMark,
	},
	{
		`UPDATE credentials SET state = 'redeemed', updated = 0, revision = revision + 1 WHERE id = ?1 AND revision = 1`,
		sameEvent, sameMark,
	},
}

const (
	sameEvent = `
		INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac)
		VALUES (?1, 'default', 0, 'process', 'link.issued', ?1, ?1, ?1, '', 1, randomblob(32))`

	sameMark = `UPDATE mark SET time = ifnull(time, 0) + 1`
)

// bareSameLinks writes sameLink.
func (e *env) bareSameLinks() (s side, err error) {
	db, err := e.bareKeyfob()
	if err != nil {
		return s, err
	}
	return e.transactions(db, sameLink)
}

// transactions runs lists of statements about one new id after the other, a
// transaction for each list.
func (e *env) transactions(db *sqlite3.Conn, lists [][]string) (s side, err error) {
	var transactions [][]*sqlite3.Stmt
	for _, list := range lists {
		list = append(append([]string{`BEGIN IMMEDIATE`}, list...), `COMMIT`)
		var stmts []*sqlite3.Stmt
		for _, sql := range list {
			stmt, _, err := db.Prepare(sql)
			if err != nil {
				return s, err
			}
			e.onEnd(stmt.Close)
			stmts = append(stmts, stmt)
		}
		transactions = append(transactions, stmts)
	}
	s.run = func(n int) error {
		for range n {
			id := token.NewID()
			for _, stmts := range transactions {
				if err := runAll(stmts, id); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return s, nil
}

// runAll runs statements, which know the id if they have a parameter.
func runAll(stmts []*sqlite3.Stmt, id string) error {
	for _, stmt := range stmts {
		if stmt.BindCount() > 0 {
			if err := stmt.BindText(1, id); err != nil {
				return err
			}
		}
		if err := stmt.Exec(); err != nil {
			return err
		}
	}
	return nil
}

// bareDatabase is a database of the bare driver with that schema, whose changes are
// on the disk when they are made.
func (e *env) bareDatabase(schema string) (*sqlite3.Conn, error) {
	dir, err := e.folder()
	if err != nil {
		return nil, err
	}
	db, err := sqlite3.Open(filepath.Join(dir, "bare.db"))
	if err != nil {
		return nil, err
	}
	e.onEnd(db.Close)
	return db, db.Exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;` + schema)
}

// totpStep is how far the time goes from one code to the next: far enough that
// those of an hour are fewer than a subject may present.
const totpStep = 150 * time.Second

// totpBesideUpdate redeems codes of one authenticator, one after the other, beside
// the least that does not accept a step twice: the bare verification, and an update
// that succeeds only while the step is lower.
func (e *env) totpBesideUpdate() (ours, peer side, err error) {
	var now atomic.Int64 // Unix seconds
	now.Store(time.Now().Unix())
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	a, _, err := e.newSQLite(keyfob.Config{Now: clock})
	if err != nil {
		return ours, peer, err
	}
	issued, err := a.Issue(e.ctx, keyfob.TOTP{Subject: "alice", Account: "alice"})
	if err != nil {
		return ours, peer, err
	}
	seed, err := otp.ParseSeed(issued.Secret.Reveal())
	if err != nil {
		return ours, peer, err
	}
	attempt := func() (keyfob.Attempt, error) {
		now.Add(int64(totpStep / time.Second))
		code, err := otp.TOTP{}.Generate(seed, clock())
		return keyfob.Attempt{Kind: keyfob.KindTOTP, Subject: "alice", Secret: keyfob.NewSecret(code)}, err
	}
	first, err := attempt()
	if err != nil {
		return ours, peer, err
	}
	if _, err := a.Confirm(e.ctx, first); err != nil {
		return ours, peer, err
	}
	ours.run = func(n int) error {
		for range n {
			at, err := attempt()
			if err != nil {
				return err
			}
			if _, err := a.Redeem(e.ctx, at); err != nil {
				return err
			}
		}
		return nil
	}
	peer, err = e.bareClaim(seed, clock, attempt)
	return ours, peer, err
}

// bareClaim verifies the code of an attempt and claims its step in a row.
func (e *env) bareClaim(seed otp.Seed, clock func() time.Time, attempt func() (keyfob.Attempt, error)) (s side, err error) {
	db, err := e.bareDatabase(`
		CREATE TABLE steps (id TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
		INSERT INTO steps (id, next) VALUES ('alice', 0)`)
	if err != nil {
		return s, err
	}
	stmt, _, err := db.Prepare(`UPDATE steps SET next = ?2 + 1 WHERE id = ?1 AND next <= ?2`)
	if err != nil {
		return s, err
	}
	e.onEnd(stmt.Close)
	s.run = func(n int) error {
		for range n {
			at, err := attempt()
			if err != nil {
				return err
			}
			step, err := otp.TOTP{}.Verify(seed, at.Secret.Reveal(), clock(), otp.Never())
			if err != nil {
				return err
			}
			if err := claim(db, stmt, int64(step)); err != nil {
				return err
			}
		}
		return nil
	}
	return s, nil
}

func claim(db *sqlite3.Conn, stmt *sqlite3.Stmt, step int64) error {
	if err := stmt.BindText(1, "alice"); err != nil {
		return err
	}
	if err := stmt.BindInt64(2, step); err != nil {
		return err
	}
	if err := stmt.Exec(); err != nil {
		return err
	}
	if n := db.Changes(); n != 1 {
		return fmt.Errorf("claimed %d rows, want 1", n)
	}
	return nil
}
