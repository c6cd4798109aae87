package sqlite

import (
	"bytes"
	"fmt"

	"github.com/keyfob-dev/keyfob/store"
)

// A write is one statement of a change. It shares no memory with the caller of
// Apply, who may be gone when it runs.
type write struct {
	sql  string
	args []any
	step int // the step whose condition does not hold when no row is written; or none
}

// none is the step of a write without a condition.
const none = -1

// run runs the statement, and reports whether it wrote a row; of one that only
// reads, whether it found one.
func (w *write) run(c *conn) (done bool, err error) {
	stmt, err := c.prepare(w.sql, w.args...)
	if err != nil {
		return false, err
	}
	if !stmt.ReadOnly() {
		err = stmt.Exec()
		if w.step != none && isMisfit(err) {
			return false, nil
		}
		return c.Changes() > 0, err
	}
	done, err = stmt.Step(), stmt.Err()
	if reset := stmt.Reset(); err == nil {
		err = reset
	}
	return done, err
}

// The statements of the steps. The condition of a step is the WHERE clause of
// its statement, which writes one row if it holds and none if it does not. Of a
// plain INSERT it is what the table wants of its rows: that they are of a
// credential that is there, and unique. To select from the table that is written
// costs as much as the row.
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
			expires, state, reason, revision, created, current, previous,
			not_before, cidrs, uses, used, limit_rate, limit_per, limit_burst, updated, next_step, idle, seen, epoch)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13, ?14, ?15,
			?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
			(SELECT ifnull(max(number), 0) FROM revocations WHERE space = ?2 AND kind = ?3 AND subject = ?4))`

	sqlUpdateCredential = `
		UPDATE credentials
		SET name = ?1, scopes = ?2, attributes = ?3, expires = ?4, state = ?5, reason = ?6,
			current = ?7, previous = ?8, not_before = ?9, cidrs = ?10, uses = ?11,
			limit_rate = ?12, limit_per = ?13, limit_burst = ?14, updated = ?15, revision = revision + 1
		WHERE id = ?16 AND space = ?17 AND revision = ?18 AND state IN ('active', 'suspended')` + sqlNotRevoked

	sqlUseCredential = `
		UPDATE credentials SET used = used + 1
		WHERE id = ?1 AND space = ?2 AND revision = ?3 AND used < uses
			AND state IN ('active', 'suspended')` + sqlNotRevoked

	sqlClaimStep = `
		UPDATE credentials SET next_step = ?4 + 1
		WHERE id = ?1 AND space = ?2 AND revision = ?3 AND state = 'active' AND next_step <= ?4` + sqlNotRevoked

	sqlTouchCredential = `
		UPDATE credentials SET seen = ?5
		WHERE id = ?1 AND space = ?2 AND revision = ?3 AND state = 'active' AND seen IS ?4` + sqlNotRevoked

	// They return a row if the condition holds. The second one can use the index of
	// those that are redeemed.
	sqlRequireLive = `
		SELECT count(*) FROM credentials
		WHERE space = ?1 AND subject = ?2 AND +kind = ?3` + sqlSameLive
	sqlRequireLiveRedeemed = `
		SELECT count(*) FROM credentials
		WHERE space = ?1 AND subject = ?2 AND kind = ?3 AND kind IN ('link', 'code', 'totp', 'recovery')` + sqlSameLive

	// They are for an empty list, which is nearly each.
	sqlRequireNone = `
		SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM credentials
			WHERE space = ?1 AND subject = ?2 AND +kind = ?3 AND purpose = ?4 AND state IN ('active', 'suspended')
				AND epoch = ` + sqlEpochOfLive + `)`
	sqlRequireNoneRedeemed = `
		SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM credentials
			WHERE space = ?1 AND subject = ?2 AND kind = ?3 AND kind IN ('link', 'code', 'totp', 'recovery')
				AND purpose = ?4 AND state IN ('active', 'suspended') AND epoch = ` + sqlEpochOfLive + `)`

	sqlSameLive = `
			AND purpose = ?4 AND state IN ('active', 'suspended') AND epoch = ` + sqlEpochOfLive + `
		HAVING count(*) = ?6 AND count(*) FILTER (WHERE id IN (SELECT value FROM json_each(?5))) = ?6`

	// With the versions go the rows of uses.
	sqlDeleteVersions = `
		DELETE FROM versions
		WHERE credential = (SELECT serial FROM credentials WHERE id = ?1 AND space = ?2 AND revision = ?3)`

	sqlDeleteCredential = `
		DELETE FROM credentials WHERE id = ?1 AND space = ?2 AND revision = ?3`

	sqlCreateVersion = `
		INSERT INTO versions (id, credential, space, number, prefix, digest, root_key, created, ends,
			first_used, last_used, sealed)
		VALUES (?1, (SELECT serial FROM credentials WHERE id = ?2 AND space = ?3), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`

	sqlEndVersion = `
		UPDATE versions SET ends = ?1
		WHERE id = ?2 AND space = ?3 AND ends IS ?4`

	sqlCreateSetting = `
		INSERT INTO settings (name, value)
		SELECT ?1, ?2
		WHERE NOT EXISTS (SELECT 1 FROM settings WHERE name = ?1)`

	sqlRaiseMark = `UPDATE mark SET time = ?1 WHERE time IS NULL OR time < ?1`

	sqlSetMark = `UPDATE mark SET time = ?2 WHERE time IS ?1`

	sqlCreateReplay = `
		INSERT INTO replays (space, name, request, sealed, expires)
		VALUES (?1, ?2, ?3, ?4, ?5)`

	sqlDeleteReplays = `DELETE FROM replays WHERE expires <= ?1`

	sqlAppendEvent = `
		INSERT INTO events (id, space, time, actor, type, credential, version, subject, reason, root_key, mac)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`
)

// writesOf returns the statements of a change, those of its steps first.
func writesOf(change store.Change) (writes []write, err error) {
	writes = make([]write, 0, len(change.Steps)+len(change.Events))
	for i, step := range change.Steps {
		if writes, err = appendStep(writes, step, i); err != nil {
			return nil, fmt.Errorf("store/sqlite: step %d: %w", i, err)
		}
	}
	for _, e := range change.Events {
		writes = append(writes, write{sqlAppendEvent, []any{
			e.ID, e.Space, milliseconds(e.Time), e.Actor, e.Type, e.Credential, e.Version, e.Subject, e.Reason,
			e.RootKey, bytes.Clone(e.MAC),
		}, none})
	}
	return writes, nil
}

// appendStep appends the statements of a step, which has the index i.
func appendStep(writes []write, step store.Step, i int) ([]write, error) {
	switch s := step.(type) {
	case store.RecordUse:
		return append(writes, recordUse(s)...), nil
	case store.SealEvents:
		return appendSeals(writes, s, i)
	case store.DeleteCredential:
		args := []any{s.ID, s.Space, s.Revision}
		return append(writes, write{sqlDeleteVersions, args, none}, write{sqlDeleteCredential, args, i}), nil
	case store.RevokeSubject:
		args := []any{s.Space, string(s.Kind), s.Subject, milliseconds(s.At), s.Reason}
		return append(writes, write{sqlRevokeSubject, args, none}), nil
	case store.RaiseMark:
		return append(writes, write{sqlRaiseMark, []any{optionalMilliseconds(s.To)}, none}), nil
	case store.ClearBudget:
		return append(writes, write{sqlClearBudget, []any{s.Space, s.Name}, none}), nil
	case store.DeleteBudgets:
		return append(writes, write{sqlDeleteBudgets, []any{milliseconds(s.Until)}, none}), nil
	case store.DeleteReplays:
		return append(writes, write{sqlDeleteReplays, []any{milliseconds(s.Until)}, none}), nil
	}
	sql, args, err := statementOfStep(step)
	return append(writes, write{sql, args, i}), err
}

// statementOfStep returns the one statement of a step, which has a condition.
func statementOfStep(step store.Step) (sql string, args []any, err error) {
	switch s := step.(type) {
	case store.CreateSpace:
		return sqlCreateSpace, []any{s.Space.ID, s.Space.Name, s.Space.Prefix, milliseconds(s.Space.Created)}, nil
	case store.UpdateSpace:
		return sqlUpdateSpace, []any{s.Space.Prefix, s.Space.ID, s.Space.Revision}, nil
	case store.CreateCredential:
		args, err := createCredential(&s.Credential)
		return sqlCreateCredential, args, err
	case store.UpdateCredential:
		args, err := updateCredential(&s.Credential)
		return sqlUpdateCredential, args, err
	case store.UseCredential:
		return sqlUseCredential, []any{s.ID, s.Space, s.Revision}, nil
	case store.ClaimStep:
		return sqlClaimStep, []any{s.ID, s.Space, s.Revision, s.Step}, nil
	case store.TouchCredential:
		return sqlTouchCredential, []any{
			s.ID, s.Space, s.Revision, optionalMilliseconds(s.Was), optionalMilliseconds(s.At),
		}, nil
	case store.RequireUnrevoked:
		return sqlRequireUnrevoked, []any{
			s.Space, string(s.Kind), s.Subject, milliseconds(s.Since), optionalMilliseconds(s.Until),
		}, nil
	case store.RequireLive:
		return requireLive(s)
	case store.WriteBudget:
		sql, args := writeBudget(&s.Budget)
		return sql, args, nil
	case store.CreateVersion:
		v := s.Version
		return sqlCreateVersion, []any{
			v.ID, v.Credential, v.Space, v.Number, v.Prefix, bytes.Clone(v.Digest), v.RootKey,
			milliseconds(v.Created), optionalMilliseconds(v.Ends),
			optionalMilliseconds(v.FirstUsed), optionalMilliseconds(v.LastUsed), optionalBlob(v.Sealed),
		}, nil
	case store.EndVersion:
		return sqlEndVersion, []any{
			optionalMilliseconds(s.Ends), s.ID, s.Space, optionalMilliseconds(s.Was),
		}, nil
	case store.CreateSetting:
		return sqlCreateSetting, []any{s.Name, bytes.Clone(s.Value)}, nil
	case store.SetMark:
		return sqlSetMark, []any{optionalMilliseconds(s.Was), optionalMilliseconds(s.To)}, nil
	case store.CreateReplay:
		r := s.Replay
		return sqlCreateReplay, []any{
			r.Space, r.Name, bytes.Clone(r.Request), bytes.Clone(r.Sealed), milliseconds(r.Expires),
		}, nil
	}
	return "", nil, fmt.Errorf("a step of type %T, which is none of package store's", step)
}

// isRedeemed reports whether credentials of a kind are redeemed, and so in the
// index of those that are live.
func isRedeemed(kind store.Kind) bool {
	return kind == store.KindLink || kind == store.KindCode || kind == store.KindTOTP || kind == store.KindRecovery
}

func requireLive(s store.RequireLive) (sql string, args []any, err error) {
	args = []any{s.Space, s.Subject, string(s.Kind), s.Purpose}
	if len(s.IDs) == 0 {
		if isRedeemed(s.Kind) {
			return sqlRequireNoneRedeemed, args, nil
		}
		return sqlRequireNone, args, nil
	}
	ids, err := listText(s.IDs)
	args = append(args, ids, len(s.IDs))
	if isRedeemed(s.Kind) {
		return sqlRequireLiveRedeemed, args, err
	}
	return sqlRequireLive, args, err
}

func createCredential(c *store.Credential) ([]any, error) {
	t, err := textsOf(c)
	if err != nil {
		return nil, err
	}
	return []any{
		c.ID, c.Space, string(c.Kind), c.Subject, c.Purpose, c.Binding, c.Name, t.scopes, t.attributes,
		optionalMilliseconds(c.Expires), string(c.State), c.Reason, milliseconds(c.Created), c.Current, c.Previous,
		optionalMilliseconds(c.NotBefore), t.cidrs, c.Uses, c.Used,
		c.Limit.Rate, c.Limit.Per.Milliseconds(), c.Limit.Burst, optionalMilliseconds(c.Updated), c.NextStep,
		c.Idle.Milliseconds(), optionalMilliseconds(c.Seen),
	}, nil
}

func updateCredential(c *store.Credential) ([]any, error) {
	t, err := textsOf(c)
	if err != nil {
		return nil, err
	}
	return []any{
		c.Name, t.scopes, t.attributes, optionalMilliseconds(c.Expires), string(c.State), c.Reason,
		c.Current, c.Previous, optionalMilliseconds(c.NotBefore), t.cidrs, c.Uses,
		c.Limit.Rate, c.Limit.Per.Milliseconds(), c.Limit.Burst, optionalMilliseconds(c.Updated),
		c.ID, c.Space, c.Revision,
	}, nil
}
