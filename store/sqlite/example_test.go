package sqlite_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "keyfob")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	st, err := sqlite.Open(filepath.Join(dir, "keyfob.db")) // for keyfob.Config
	if err != nil {
		log.Fatal(err)
	}

	_, err = sqlite.Open(filepath.Join(dir, "keyfob.db"))
	fmt.Println(errors.Is(err, store.ErrInUse))
	fmt.Println(st.Close())
	// Output:
	// true
	// <nil>
}

// A program that goes on after its storage has failed can only refuse; let it
// end, and be started again.
func ExampleStore_Failed() {
	st, err := sqlite.Open("keyfob.db")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		<-st.Failed()
		log.Fatal(st.Err())
	}()
}
