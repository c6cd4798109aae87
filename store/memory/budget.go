package memory

import (
	"time"

	"github.com/keyfob-dev/keyfob/store"
)

func (tx *tx) writeBudget(b store.Budget) bool {
	key := nameKey{b.Space, b.Name}
	if tx.budgets[key].Revision != b.Revision { // 0 where there is none
		return false
	}
	b.Revision++
	put(tx, tx.budgets, key, b)
	return true
}

func (tx *tx) clearBudget(s store.ClearBudget) {
	key := nameKey{s.Space, s.Name}
	b, ok := tx.budgets[key]
	if !ok {
		return
	}
	b.Consecutive = 0
	b.Revision++
	put(tx, tx.budgets, key, b)
}

func (tx *tx) deleteBudgets(until time.Time) {
	for key, b := range tx.budgets {
		if !b.Expires.IsZero() && !b.Expires.After(until) {
			remove(tx, tx.budgets, key)
		}
	}
}
