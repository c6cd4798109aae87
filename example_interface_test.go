package keyfob_test

import (
	"context"
	"fmt"

	"github.com/keyfob-dev/keyfob"
)

// A type that hands a request on, to another process for instance, asks for the
// key that goes with it.
func ExampleIdempotencyKey() {
	ctx := keyfob.WithIdempotencyKey(context.Background(), "Zq3vN8sKp1XwT6yB")
	key, ok := keyfob.IdempotencyKey(ctx)
	fmt.Println(key, ok)
	// Output: Zq3vN8sKp1XwT6yB true
}
