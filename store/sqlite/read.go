package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

// The statements of the reads. Each read is one statement, and so sees one state
// of the database.
const (
	sqlSpace = `SELECT ` + spaceColumns + ` FROM spaces WHERE name = ?1`

	sqlSpaces = `SELECT ` + spaceColumns + ` FROM spaces WHERE name > ?1 ORDER BY name LIMIT ?2`

	sqlVersion = `
		SELECT ` + credentialColumns + `, ` + versionColumns + `
		FROM versions AS v CROSS JOIN credentials AS c ON c.serial = v.credential
			LEFT JOIN revocations AS r ON ` + sqlIsRevoked + `
		WHERE v.id = ?2 AND v.space = ?1`

	// An item is a credential with its current and its previous version.
	sqlItem = `
		SELECT ` + credentialColumns + `, ` + versionColumns + `,
			p.id, p.number, p.prefix, p.digest, p.root_key, p.created, p.ends, p.first_used, p.last_used, p.sealed
		FROM credentials AS c
			LEFT JOIN revocations AS r ON ` + sqlIsRevoked + `
			LEFT JOIN versions AS v ON v.id = c.current AND v.credential = c.serial
			LEFT JOIN versions AS p ON p.id = c.previous AND p.credential = c.serial`

	sqlCredential = sqlItem + `
		WHERE c.space = ?1 AND c.serial = ifnull(
			(SELECT serial FROM credentials WHERE id = ?2), (SELECT credential FROM versions WHERE id = ?2))`

	sqlVersions = `
		SELECT ` + versionColumns + `
		FROM credentials AS c CROSS JOIN versions AS v ON v.credential = c.serial
		WHERE c.id = ?2 AND c.space = ?1 ORDER BY v.number`

	// SQLite would make a table of the states, were they in a list.
	sqlOrderCredentials = `
			AND (c.created, c.id) < (?2, ?3)
			AND CASE WHEN r.number IS NULL
				THEN c.state = ?4 OR c.state = ?5 OR c.state = ?6 OR c.state = ?7 OR c.state = ?8
				ELSE ?8 = 'revoked' END
			AND (?10 IS NULL OR instr(CAST(c.name AS BLOB), ?10) > 0)
			AND (?11 IS NULL OR EXISTS (SELECT 1 FROM json_each(c.scopes) WHERE value = ?11))
			AND (?12 IS NULL OR c.expires < ?12)
			AND (?13 IS NULL OR c.expires < ?13 OR r.at < ?13
				OR c.state IN ('redeemed', 'replaced', 'revoked') AND (c.updated IS NULL OR c.updated < ?13))
			AND (?14 IS NULL OR c.purpose = ?14)
		ORDER BY c.created DESC, c.id DESC LIMIT ?9`

	// The sign before kind keeps SQLite to the index of subjects.
	sqlOfSpace          = sqlItem + ` WHERE c.space = ?1` + sqlOrderCredentials
	sqlOfKind           = sqlItem + ` WHERE c.space = ?1 AND c.kind = ?15` + sqlOrderCredentials
	sqlOfSubject        = sqlItem + ` WHERE c.space = ?1 AND c.subject = ?15` + sqlOrderCredentials
	sqlOfSubjectAndKind = sqlItem + ` WHERE c.space = ?1 AND c.subject = ?15 AND +c.kind = ?16` + sqlOrderCredentials

	// What is said twice here lets SQLite use an index of a part of the table.
	sqlOfPurpose = sqlItem + ` WHERE c.space = ?1 AND c.subject = ?15 AND c.kind = ?16
			AND c.purpose = ?14 AND c.purpose <> ''` + sqlOrderCredentials
	sqlLiveRedeemed = sqlItem + ` WHERE c.space = ?1 AND c.subject = ?15 AND c.kind = ?16
			AND c.kind IN ('link', 'code', 'totp', 'recovery') AND c.state IN ('active', 'suspended')
			AND c.epoch = ` + sqlEpochOfList + sqlOrderCredentials

	// An empty type is any.
	sqlEvents = `
		SELECT ` + eventColumns + ` FROM events
		WHERE space = ?1 AND number > ?2 AND (?4 = '' OR type = ?4) ORDER BY number LIMIT ?3`

	sqlNewestEvents = `
		SELECT ` + eventColumns + ` FROM events
		WHERE space = ?1 AND number < ?2 AND (?4 = '' OR type = ?4) ORDER BY number DESC LIMIT ?3`

	sqlEventsOf = `
		SELECT ` + eventColumns + ` FROM events
		WHERE +space = ?1 AND credential = ?5 AND number > ?2 AND (?4 = '' OR type = ?4)
		ORDER BY number LIMIT ?3`

	sqlNewestEventsOf = `
		SELECT ` + eventColumns + ` FROM events
		WHERE +space = ?1 AND credential = ?5 AND number < ?2 AND (?4 = '' OR type = ?4)
		ORDER BY number DESC LIMIT ?3`

	sqlMark = `SELECT time FROM mark`

	sqlReplay = `SELECT request, sealed, expires FROM replays WHERE space = ?1 AND name = ?2`

	sqlSetting = `SELECT value FROM settings WHERE name = ?1`
)

// readBy runs a statement on one of the readers.
func (s *Store) readBy(ctx context.Context, fn func(*row) error, sql string, args []any) (rows int, err error) {
	c, err := s.readers.take(ctx)
	if err != nil {
		return 0, err
	}
	defer s.readers.give(c)
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	err = c.query(sql, args, func(r *row) error {
		rows++
		return fn(r)
	})
	return rows, err
}

// read runs a statement and calls fn with each row. It returns how many there
// were.
func (s *Store) read(ctx context.Context, fn func(*row) error, sql string, args ...any) (rows int, err error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	rows, err = s.readBy(ctx, fn, sql, args)
	switch {
	case err == nil:
		return rows, nil
	case ctx.Err() != nil && (isInterrupt(err) || errors.Is(err, ctx.Err())):
		return 0, ctx.Err()
	}
	return 0, s.fail(err)
}

// Space returns the space of that name.
func (s *Store) Space(ctx context.Context, name string) (space store.Space, err error) {
	n, err := s.read(ctx, func(r *row) error {
		space = r.space()
		return nil
	}, sqlSpace, name)
	return space, orNotFound(n, err, errNoSpace)
}

// Spaces returns up to limit spaces after the name after, by name.
func (s *Store) Spaces(ctx context.Context, after string, limit int) (spaces []store.Space, err error) {
	if limit < 1 {
		return nil, badLimit(limit)
	}
	_, err = s.read(ctx, func(r *row) error {
		spaces = append(spaces, r.space())
		return nil
	}, sqlSpaces, after, limit)
	if err != nil {
		return nil, err
	}
	return spaces, nil
}

// Credential returns the credential whose id, or one of whose versions' id, is
// id.
func (s *Store) Credential(ctx context.Context, space, id string) (item store.Item, err error) {
	n, err := s.read(ctx, func(r *row) error {
		return r.item(&item, space)
	}, sqlCredential, space, id)
	if err := orNotFound(n, err, errNoCredential); err != nil {
		return store.Item{}, err
	}
	return item, nil
}

// Version returns the version with that id, and its credential.
func (s *Store) Version(ctx context.Context, space, id string) (found store.Found, err error) {
	n, err := s.read(ctx, func(r *row) error {
		if err := r.credential(&found.Credential, space); err != nil {
			return err
		}
		r.version(&found.Version, &found.Credential)
		return nil
	}, sqlVersion, space, id)
	if err := orNotFound(n, err, errNoVersion); err != nil {
		return store.Found{}, err
	}
	return found, nil
}

// Versions returns all versions of a credential, by number.
func (s *Store) Versions(ctx context.Context, space, credential string) (versions []store.Version, err error) {
	of := store.Credential{ID: credential, Space: space}
	_, err = s.read(ctx, func(r *row) error {
		versions = append(versions, store.Version{})
		r.version(&versions[len(versions)-1], &of)
		return nil
	}, sqlVersions, space, credential)
	if err != nil {
		return nil, err
	}
	return versions, nil
}

// Credentials returns a page of credentials, the newest first.
func (s *Store) Credentials(ctx context.Context, q store.Query) (items []store.Item, err error) {
	if q.Limit < 1 {
		return nil, badLimit(q.Limit)
	}
	sql, args := statementOf(q)
	_, err = s.read(ctx, func(r *row) error {
		items = append(items, store.Item{})
		return r.item(&items[len(items)-1], q.Space)
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// statementOf returns the statement of a query and its parameters.
func statementOf(q store.Query) (sql string, args []any) {
	args = []any{q.Space, int64(math.MaxInt64), ""}
	if q.After != (store.Position{}) {
		args = []any{q.Space, milliseconds(q.After.Created), q.After.ID}
	}
	for _, s := range states {
		if len(q.States) > 0 && !slices.Contains(q.States, s) {
			s = "" // which no credential has
		}
		args = append(args, string(s))
	}
	args = append(args, q.Limit, optionalBytes(q.NameContains), optionalText(q.Scope),
		optionalMilliseconds(q.ExpiresBefore), optionalMilliseconds(q.EndedBefore), optionalText(q.Purpose))
	switch {
	case q.Subject != "" && q.Kind != "":
		return statementOfSubjectAndKind(q), append(args, q.Subject, string(q.Kind))
	case q.Subject != "":
		return sqlOfSubject, append(args, q.Subject)
	case q.Kind != "":
		return sqlOfKind, append(args, string(q.Kind))
	}
	return sqlOfSpace, args
}

func statementOfSubjectAndKind(q store.Query) string {
	switch {
	case isRedeemed(q.Kind) && len(q.States) > 0 && !slices.ContainsFunc(q.States, store.State.Final):
		return sqlLiveRedeemed
	case q.Purpose != "":
		return sqlOfPurpose
	}
	return sqlOfSubjectAndKind
}

// optionalText is NULL when it is empty.
func optionalText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// optionalBytes is a BLOB that is NULL when it is empty.
func optionalBytes(s string) any {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// Events returns a page of a space's events, in the order of their numbers.
func (s *Store) Events(ctx context.Context, q store.EventQuery) (events []store.Event, err error) {
	if q.Limit < 1 {
		return nil, badLimit(q.Limit)
	}
	sql, args := statementOfEvents(q)
	_, err = s.read(ctx, func(r *row) error {
		events = append(events, r.event(q.Space))
		return nil
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	return events, nil
}

// statementOfEvents returns the statement of a query and its parameters.
func statementOfEvents(q store.EventQuery) (sql string, args []any) {
	after := q.After
	if q.Newest && after == 0 {
		after = math.MaxInt64
	}
	args = []any{q.Space, after, q.Limit, q.Type}
	switch {
	case q.Credential != "" && q.Newest:
		return sqlNewestEventsOf, append(args, q.Credential)
	case q.Credential != "":
		return sqlEventsOf, append(args, q.Credential)
	case q.Newest:
		return sqlNewestEvents, args
	}
	return sqlEvents, args
}

// Mark returns the store's mark.
func (s *Store) Mark(ctx context.Context) (mark time.Time, err error) {
	_, err = s.read(ctx, func(r *row) error {
		mark = r.optionalTime()
		return nil
	}, sqlMark)
	return mark, err
}

// Replay returns the replay of that name in the space.
func (s *Store) Replay(ctx context.Context, space, name string) (replay store.Replay, err error) {
	n, err := s.read(ctx, func(r *row) error {
		replay = store.Replay{Space: space, Name: name, Request: r.blob(), Sealed: r.blob(), Expires: r.time()}
		return nil
	}, sqlReplay, space, name)
	return replay, orNotFound(n, err, errNoReplay)
}

// Setting returns the value of a setting.
func (s *Store) Setting(ctx context.Context, name string) (value []byte, err error) {
	n, err := s.read(ctx, func(r *row) error {
		value = r.blob()
		return nil
	}, sqlSetting, name)
	return value, orNotFound(n, err, errNoSetting)
}

func badLimit(limit int) error {
	return fmt.Errorf("store/sqlite: a limit of %d; it must be at least 1", limit)
}
