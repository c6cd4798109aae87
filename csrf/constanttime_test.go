package csrf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

// TestConstantTime checks one token many times in each subtest, always the same but for
// where its MAC matches. Run one of them under a
// program that counts instructions, such as valgrind or perf stat, and compare the
// counts, less that of "nothing": they differ by less than one percent, which is the
// runtime's. So every check computes the whole MAC; that the comparison after it has no
// early exit is hmac.Equal's promise, and too little to be seen beside it.
//
//	go test -c ./csrf
//	GOMAXPROCS=1 GOGC=off valgrind --tool=lackey --basic-counts=yes ./csrf.test -test.run='^TestConstantTime$/^wrong_first_byte$'
func TestConstantTime(t *testing.T) {
	k, token := frozenKey(t, csrf.DefaultLifetime), frozen
	// The MAC begins within the character 29, and ends with the last.
	change := func(at int) string {
		c := "A"
		if token[at] == 'A' {
			c = "B"
		}
		return token[:at] + c + token[at+1:]
	}
	for _, c := range []struct {
		name, id, token string
		want            error
		rounds          int
	}{
		{"nothing", "session-1", token, nil, 0},
		{"right", "session-1", token, nil, 5000},
		{"wrong first byte", "session-1", change(30), csrf.ErrMismatch, 5000},
		{"wrong last byte", "session-1", change(71), csrf.ErrMismatch, 5000},
		{"all wrong", "session-1", token[:32] + strings.Repeat("A", 40), csrf.ErrMismatch, 5000},
		{"another id", "session-2", token, csrf.ErrMismatch, 5000},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range c.rounds {
				if err := k.Check(c.id, c.token, start); !errors.Is(err, c.want) {
					t.Fatal(err)
				}
			}
		})
	}
}
