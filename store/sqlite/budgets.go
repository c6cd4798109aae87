package sqlite

import (
	"context"

	"github.com/keyfob-dev/keyfob/store"
)

// The statements of budgets.
const (
	sqlCreateBudget = `
		INSERT INTO budgets (space, name, window, guesses, consecutive, last, expires, revision)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)`

	sqlUpdateBudget = `
		UPDATE budgets
		SET window = ?3, guesses = ?4, consecutive = ?5, last = ?6, expires = ?7, revision = revision + 1
		WHERE space = ?1 AND name = ?2 AND revision = ?8`

	sqlClearBudget = `
		UPDATE budgets SET consecutive = 0, revision = revision + 1
		WHERE space = ?1 AND name = ?2`

	// NULL is not lower than anything.
	sqlDeleteBudgets = `DELETE FROM budgets WHERE expires <= ?1`

	sqlBudget = `
		SELECT window, guesses, consecutive, last, expires, revision FROM budgets
		WHERE space = ?1 AND name = ?2`
)

func writeBudget(b *store.Budget) (sql string, args []any) {
	args = []any{
		b.Space, b.Name, optionalMilliseconds(b.Window), b.Guesses, b.Consecutive,
		optionalMilliseconds(b.Last), optionalMilliseconds(b.Expires),
	}
	if b.Revision == 0 {
		return sqlCreateBudget, args
	}
	return sqlUpdateBudget, append(args, b.Revision)
}

// Budget returns the budget of that name in the space.
func (s *Store) Budget(ctx context.Context, space, name string) (budget store.Budget, err error) {
	n, err := s.read(ctx, func(r *row) error {
		budget = store.Budget{
			Space: space, Name: name, Window: r.optionalTime(), Guesses: r.integer(), Consecutive: r.integer(),
			Last: r.optionalTime(), Expires: r.optionalTime(), Revision: r.integer(),
		}
		return nil
	}, sqlBudget, space, name)
	return budget, orNotFound(n, err, errNoBudget)
}
