package sqlite

import (
	"bytes"
	"fmt"

	"github.com/keyfob-dev/keyfob/store"
)

// A write is one statement of a change: a step, or an event. It shares no memory
// with the caller of Apply, who may be gone when it runs.
type write struct {
	sql  string
	args []any
}

// The statements of the steps. The condition of a step is the WHERE clause of
// its statement, which writes one row if it holds and none if it does not.
const (
	sqlCreateSpace = `
		INSERT INTO spaces (id, name, prefix, revision, created)
		SELECT ?1, ?2, ?3, 1, ?4
		WHERE NOT EXISTS (SELECT 1 FROM spaces WHERE id = ?1)
			AND NOT EXISTS (SELECT 1 FROM spaces WHERE name = ?2)`

	sqlUpdateSpace = `
		UPDATE spaces SET prefix = ?1, revision = revision + 1
		WHERE id = ?2 AND revision = ?3`

	sqlCreateCredential = `
		INSERT INTO credentials (id, space, kind, subject, purpose, binding, name, scopes, attributes,
			expires, state, reason, revision, created, current, previous)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13, ?14, ?15
		WHERE NOT EXISTS (SELECT 1 FROM credentials WHERE id = ?1)`

	sqlUpdateCredential = `
		UPDATE credentials
		SET name = ?1, scopes = ?2, attributes = ?3, expires = ?4, state = ?5, reason = ?6,
			current = ?7, previous = ?8, revision = revision + 1
		WHERE id = ?9 AND space = ?10 AND revision = ?11
			AND state NOT IN ('redeemed', 'replaced', 'revoked')`

	sqlCreateVersion = `
		INSERT INTO versions (id, credential, space, number, prefix, digest, root_key, created, ends)
		SELECT ?1, c.serial, c.space, ?4, ?5, ?6, ?7, ?8, ?9
		FROM credentials AS c
		WHERE c.id = ?2 AND c.space = ?3
			AND NOT EXISTS (SELECT 1 FROM versions WHERE id = ?1)
			AND NOT EXISTS (SELECT 1 FROM versions WHERE credential = c.serial AND number = ?4)`

	sqlEndVersion = `
		UPDATE versions SET ends = ?1
		WHERE id = ?2 AND space = ?3 AND ends IS ?4`

	sqlCreateSetting = `
		INSERT INTO settings (name, value)
		SELECT ?1, ?2
		WHERE NOT EXISTS (SELECT 1 FROM settings WHERE name = ?1)`

	sqlAppendEvent = `
		INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`
)

// writesOf returns the statements of a change, those of its steps first.
func writesOf(change store.Change) ([]write, error) {
	writes := make([]write, 0, len(change.Steps)+len(change.Events))
	for i, step := range change.Steps {
		w, err := writeOf(step)
		if err != nil {
			return nil, fmt.Errorf("store/sqlite: step %d: %w", i, err)
		}
		writes = append(writes, w)
	}
	for _, e := range change.Events {
		writes = append(writes, write{sqlAppendEvent, []any{
			e.ID, e.Space, milliseconds(e.Time), e.Actor, e.Type, e.Credential, e.Version, e.Subject, e.Reason,
			e.RootKey, bytes.Clone(e.MAC),
		}})
	}
	return writes, nil
}

func writeOf(step store.Step) (write, error) {
	switch s := step.(type) {
	case store.CreateSpace:
		return write{sqlCreateSpace, []any{
			s.Space.ID, s.Space.Name, s.Space.Prefix, milliseconds(s.Space.Created),
		}}, nil
	case store.UpdateSpace:
		return write{sqlUpdateSpace, []any{s.Space.Prefix, s.Space.ID, s.Space.Revision}}, nil
	case store.CreateCredential:
		return createCredential(&s.Credential)
	case store.UpdateCredential:
		return updateCredential(&s.Credential)
	case store.CreateVersion:
		v := s.Version
		return write{sqlCreateVersion, []any{
			v.ID, v.Credential, v.Space, v.Number, v.Prefix, bytes.Clone(v.Digest), v.RootKey,
			milliseconds(v.Created), optionalMilliseconds(v.Ends),
		}}, nil
	case store.EndVersion:
		return write{sqlEndVersion, []any{
			optionalMilliseconds(s.Ends), s.ID, s.Space, optionalMilliseconds(s.Was),
		}}, nil
	case store.CreateSetting:
		return write{sqlCreateSetting, []any{s.Name, bytes.Clone(s.Value)}}, nil
	}
	return write{}, fmt.Errorf("a step of type %T, which is none of package store's", step)
}

func createCredential(c *store.Credential) (write, error) {
	scopes, err := scopesText(c.Scopes)
	if err != nil {
		return write{}, err
	}
	attributes, err := attributesText(c.Attributes)
	if err != nil {
		return write{}, err
	}
	return write{sqlCreateCredential, []any{
		c.ID, c.Space, string(c.Kind), c.Subject, c.Purpose, c.Binding, c.Name, scopes, attributes,
		optionalMilliseconds(c.Expires), string(c.State), c.Reason, milliseconds(c.Created), c.Current, c.Previous,
	}}, nil
}

func updateCredential(c *store.Credential) (write, error) {
	scopes, err := scopesText(c.Scopes)
	if err != nil {
		return write{}, err
	}
	attributes, err := attributesText(c.Attributes)
	if err != nil {
		return write{}, err
	}
	return write{sqlUpdateCredential, []any{
		c.Name, scopes, attributes, optionalMilliseconds(c.Expires), string(c.State), c.Reason,
		c.Current, c.Previous, c.ID, c.Space, c.Revision,
	}}, nil
}
