package main

import (
	"context"
	"database/sql"
	"errors"
	"net/mail"
	"os"
	"strings"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/keyfob-dev/keyfob/token"
)

// A user is what the application itself has to know of somebody. To keyfob they
// are a subject, their ID: an address may change.
type user struct {
	ID    string
	Email string
	Hash  string // of the password; empty until the address was proved
}

// errNobody: there is no such user.
var errNobody = errors.New("no such user")

// users is the application's own table, in a database of its own.
type users struct{ db *sql.DB }

func openUsers(ctx context.Context, path string) (*users, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // hashes of passwords are nobody else's to read
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS users (
		id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, created INTEGER NOT NULL) STRICT`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &users{db: db}, nil
}

// add returns the user of an address, who is made if there is none.
func (u *users) add(ctx context.Context, email string, now time.Time) (user, error) {
	_, err := u.db.ExecContext(ctx, `INSERT INTO users (id, email, hash, created) VALUES (?, ?, '', ?)
		ON CONFLICT (email) DO UPDATE SET created = excluded.created WHERE hash = ''`, token.Hex(16), email, now.Unix())
	if err != nil {
		return user{}, err
	}
	return u.byEmail(ctx, email)
}

func (u *users) byEmail(ctx context.Context, email string) (user, error) {
	return u.find(ctx, `SELECT id, email, hash FROM users WHERE email = ?`, email)
}

func (u *users) byID(ctx context.Context, id string) (user, error) {
	return u.find(ctx, `SELECT id, email, hash FROM users WHERE id = ?`, id)
}

func (u *users) find(ctx context.Context, query, key string) (user, error) {
	var found user
	err := u.db.QueryRowContext(ctx, query, key).Scan(&found.ID, &found.Email, &found.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, errNobody
	}
	return found, err
}

// setHash sets a user's password.
func (u *users) setHash(ctx context.Context, id, hash string) error {
	done, err := u.db.ExecContext(ctx, `UPDATE users SET hash = ? WHERE id = ?`, hash, id)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); n == 0 {
		return errors.Join(errNobody, err)
	}
	return nil
}

// purge removes those who never proved their address.
func (u *users) purge(ctx context.Context, before time.Time) error {
	_, err := u.db.ExecContext(ctx, `DELETE FROM users WHERE hash = '' AND created < ?`, before.Unix())
	return err
}

// address reads what was typed as an e-mail address; empty if it is none.
func address(typed string) string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	parsed, err := mail.ParseAddress(typed)
	if err != nil || parsed.Address != typed || len(typed) > 254 { // RFC 5321 with RFC 3696's erratum 1690
		return ""
	}
	return typed
}
