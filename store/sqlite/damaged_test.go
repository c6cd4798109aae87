package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// A cell that somebody damaged is an error, each time it is read, and no list
// that is empty: without its networks a key would be good from anywhere. The
// store closes all the same.
func TestDamagedCells(t *testing.T) {
	for _, column := range []string{"scopes", "cidrs", "attributes"} {
		for _, text := range []string{"", "x", "[", "[x", "{", "null", `["a"`, `"a"`, "[]x", "1", "[1]", "]", "}"} {
			path := filepath.Join(t.TempDir(), "keyfob.db")
			s := mustOpen(t, path)
			item, change := newIssue()
			c := item.Credential
			if err := s.Apply(background, change); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			raw, err := sqlite3.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := raw.Exec("UPDATE credentials SET " + column + " = '" + text + "'"); err != nil {
				t.Fatal(err)
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, path)
			for range 2 * numReaders() {
				if _, err := s.Version(background, c.Space, c.Current); err == nil {
					t.Fatalf("%s %q is taken", column, text)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
