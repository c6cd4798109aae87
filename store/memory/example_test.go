package memory_test

import (
	"fmt"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

// In tests; keyfobtest.New opens one together with its Authority.
func ExampleOpen() {
	var st store.Store = memory.Open() // for keyfob.Config
	fmt.Println(st.Close())
	// Output: <nil>
}
