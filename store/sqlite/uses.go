package sqlite

import (
	"context"

	"github.com/keyfob-dev/keyfob/store"
)

// The statements of RecordUse. Each of them passes over a version that is not in
// the space.
const (
	sqlUseVersion = `
		UPDATE versions
		SET first_used = min(ifnull(first_used, ?3), ?3), last_used = max(ifnull(last_used, ?4), ?4)
		WHERE id = ?2 AND space = ?1`

	sqlUseAddress = `
		UPDATE uses SET first = min(first, ?4), last = max(last, ?5)
		WHERE version = (SELECT id FROM versions WHERE id = ?2 AND space = ?1) AND address = ?3`

	sqlAddAddress = `
		INSERT INTO uses (version, address, first, last)
		SELECT id, ?3, ?4, ?5
		FROM versions
		WHERE id = ?2 AND space = ?1
			AND NOT EXISTS (SELECT 1 FROM uses WHERE version = ?2 AND address = ?3)`

	// The last that is kept is the row with the offset ?2.
	sqlTrimAddresses = `
		DELETE FROM uses
		WHERE version = ?1 AND (last, address) <
			(SELECT last, address FROM uses WHERE version = ?1 ORDER BY last DESC, address DESC LIMIT 1 OFFSET ?2)`

	sqlUses = `
		SELECT u.address, u.first, u.last
		FROM versions AS v CROSS JOIN uses AS u ON u.version = v.id
		WHERE v.id = ?2 AND v.space = ?1 ORDER BY u.last DESC, u.address DESC`
)

func recordUse(s store.RecordUse) []write {
	first, last := milliseconds(s.First), milliseconds(s.Last)
	writes := []write{{sqlUseVersion, []any{s.Space, s.Version, first, last}, none}}
	if s.Address == "" {
		return writes
	}
	address := []any{s.Space, s.Version, s.Address, first, last}
	return append(writes,
		write{sqlUseAddress, address, none},
		write{sqlAddAddress, address, none},
		write{sqlTrimAddresses, []any{s.Version, store.MaxAddresses - 1}, none})
}

// Uses returns from where a version was used, the last used first.
func (s *Store) Uses(ctx context.Context, space, version string) (uses []store.Use, err error) {
	_, err = s.read(ctx, func(r *row) error {
		uses = append(uses, store.Use{Address: r.text(), First: r.time(), Last: r.time()})
		return nil
	}, sqlUses, space, version)
	if err != nil {
		return nil, err
	}
	return uses, nil
}
