package session

import (
	"errors"
	"testing"

	"github.com/keyfob-dev/keyfob"
)

// An edit of a session that the request itself has ended a moment before is an error,
// and not what was done.
func TestEditWithoutSession(t *testing.T) {
	ran := false
	err := (&state{}).edit(t.Context(), func(map[string]string) error {
		ran = true
		return nil
	})
	if ran || !errors.Is(err, keyfob.ErrInvalid) || !errors.Is(err, keyfob.ErrRevoked) {
		t.Errorf("called %v, %v", ran, err)
	}
}
