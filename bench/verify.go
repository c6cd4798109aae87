package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// alice is the key that is verified.
var alice = keyfob.APIKey{Subject: "alice", Scopes: []string{"read"}}

func verifyRows() []row {
	return []row{
		{
			name:    "Verify from cache, 10,000 keys : one HMAC-SHA-256",
			targets: []target{{cpu, atMost, 2}, {allocs, count, 2}},
			turn:    steady,
			prepare: func(e *env) (side, side, error) { return e.verifyCached(10_000) },
		},
		{
			name:    "Verify from cache, 100 keys : one HMAC-SHA-256",
			turn:    steady,
			prepare: func(e *env) (side, side, error) { return e.verifyCached(100) },
		},
		{
			name: "HMAC and a record of 10,000 : one HMAC-SHA-256",
			prepare: func(e *env) (ours, peer side, err error) {
				return recordAndHMAC(e.size(10_000)), bareHMAC(), nil
			},
		},
		{
			name:    "Verify from cache, 1,000,000 keys : one HMAC-SHA-256",
			turn:    steady,
			prepare: func(e *env) (side, side, error) { return e.verifyCached(1_000_000) },
		},
		{
			name:    "Verify uncached on SQLite : look-up of the version's row",
			targets: []target{{cpu, atMost, 2.5}},
			prepare: func(e *env) (side, side, error) { return e.verifyUncached(sqlVersion) },
		},
		{
			name:    "Verify uncached on SQLite : look-up with its credential",
			prepare: func(e *env) (side, side, error) { return e.verifyUncached(sqlVersionAndCredential) },
		},
	}
}

// steady is a turn in which the last use of each key is recorded as often as under
// a lasting load: once a second. Short turns that are apart would record more.
const steady = time.Second

// verifyCached is Verify of keys in memory, all of which the cache has room for,
// beside the least that tells a right secret from a wrong one.
func (e *env) verifyCached(keys int) (ours, peer side, err error) {
	keys = e.size(keys)
	dir, err := e.folder()
	if err != nil {
		return ours, peer, err
	}
	st := memory.Open()
	issuer, err := e.newAuthority(st, dir, keyfob.Config{})
	if err != nil {
		return ours, peer, err
	}
	tokens, err := issue(e.ctx, issuer, keys, alice)
	if err != nil {
		return ours, peer, err
	}
	// Another one verifies, beside which no events are sealed any more.
	if err := closeAuthority(issuer); err != nil {
		return ours, peer, err
	}
	rk, err := keyfob.ReadRootKey(filepath.Join(dir, rootKeyName))
	if err != nil {
		return ours, peer, err
	}
	a, err := keyfob.Open(e.ctx, keyfob.Config{Store: st, RootKey: rk, CacheSize: 2 * keys})
	if err != nil {
		return ours, peer, err
	}
	e.onEnd(func() error { return closeAuthority(a) })
	if err := e.verify(a, tokens, keys); err != nil { // the cache has them afterwards
		return ours, peer, err
	}
	tokens = arriving(tokens)
	return side{run: func(n int) error { return e.verify(a, tokens, n) }}, bareHMAC(), nil
}

// stride goes through keys in no order that a processor could foresee.
const stride = 7919

// arriving returns the tokens by that stride, and their texts one after the other
// in memory: that of a token which is presented was read a moment ago, whereas it is
// long ago that the record of its key was.
func arriving(tokens []string) []string {
	var texts strings.Builder
	in := make([]string, len(tokens))
	for i := range tokens {
		in[i] = tokens[i*stride%len(tokens)]
		texts.WriteString(in[i])
	}
	rest := texts.String()
	for i, text := range in {
		in[i], rest = rest[:len(text)], rest[len(text):]
	}
	return in
}

func (e *env) verify(a *keyfob.Authority, tokens []string, n int) error {
	check := keyfob.Check{Scopes: []string{"read"}}
	for i := range n {
		if _, err := a.Verify(e.ctx, tokens[i%len(tokens)], check); err != nil {
			return err
		}
	}
	return nil
}

// digestInput is how long the text is that a digest of alice's key is made over:
// ten fields, each after its length in four bytes.
const digestInput = 10*4 + len("keyfob/digest/v1") + len("apikey") + 3*16 + len("default") + len("alice") + 43

// bareHMAC is an HMAC of as many bytes as a digest's, by a hash that is used again.
func bareHMAC() side {
	h, message, sum := hmac.New(sha256.New, make([]byte, 32)), make([]byte, digestInput), make([]byte, 0, 32)
	return side{run: func(n int) error {
		for range n {
			h.Write(message)
			sum = h.Sum(sum[:0])
			h.Reset()
		}
		return nil
	}}
}

// record is as large as what the cache keeps of a key.
type record [736]byte

// recordAndHMAC is an HMAC and a copy of one of so many records, which is what memory
// takes of a verification at the least: nothing is looked up or judged.
func recordAndHMAC(n int) side {
	records := make([]*record, n)
	for i := range records {
		records[i] = new(record)
	}
	hash, at := bareHMAC(), 0
	return side{run: func(n int) error {
		for range n {
			at = (at + stride) % len(records)
			answer = new(record)
			*answer = *records[at]
			if err := hash.run(1); err != nil {
				return err
			}
		}
		return nil
	}}
}

// answer keeps the copy from being optimized away.
var answer *record

// What the bare driver reads of a version, by its id.
const (
	sqlVersion = `SELECT * FROM versions WHERE id = ?1`

	sqlVersionAndCredential = `
		SELECT * FROM versions AS v CROSS JOIN credentials AS c ON c.serial = v.credential WHERE v.id = ?1`
)

// verifyUncached is Verify that asks the database each time, beside a prepared
// statement of the bare driver on the same file.
func (e *env) verifyUncached(sql string) (ours, peer side, err error) {
	a, path, err := e.newSQLite(keyfob.Config{MaxStaleness: -1})
	if err != nil {
		return ours, peer, err
	}
	tokens, err := issue(e.ctx, a, e.size(10_000), alice)
	if err != nil {
		return ours, peer, err
	}
	tokens = arriving(tokens)
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		return ours, peer, err
	}
	e.onEnd(db.Close)
	stmt, _, err := db.Prepare(sql)
	if err != nil {
		return ours, peer, err
	}
	e.onEnd(stmt.Close)
	ids := make([]string, len(tokens))
	for i, text := range tokens {
		parsed, err := token.Parse(text)
		if err != nil {
			return ours, peer, err
		}
		ids[i] = parsed.ID()
	}
	peer.run = func(n int) error {
		for i := range n {
			if err := lookUp(stmt, ids[i%len(ids)]); err != nil {
				return err
			}
		}
		return nil
	}
	return side{run: func(n int) error { return e.verify(a, tokens, n) }}, peer, nil
}

// lookUp reads all columns of the one row of that id.
func lookUp(stmt *sqlite3.Stmt, id string) error {
	if err := stmt.BindText(1, id); err != nil {
		return err
	}
	if !stmt.Step() {
		return errors.Join(stmt.Err(), fmt.Errorf("no version %s", id))
	}
	for i := range stmt.ColumnCount() {
		switch stmt.ColumnType(i) {
		case sqlite3.TEXT:
			_ = stmt.ColumnText(i)
		case sqlite3.BLOB:
			_ = stmt.ColumnBlob(i, nil)
		case sqlite3.INTEGER:
			_ = stmt.ColumnInt64(i)
		}
	}
	return stmt.Reset()
}
