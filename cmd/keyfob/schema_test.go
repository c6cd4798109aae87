package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// A database of a newer keyfob is refused in one line, and left as it is.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir).stop()
	path := filepath.Join(dir, databaseFile)
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(`INSERT INTO schema_version (version_id, is_applied) VALUES (4711, 1); PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := command(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	if r.code != exitWrong || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "a newer keyfob has written the database") {
		t.Errorf("exit code %d, %q", r.code, r.stderr)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the database was changed: %v", err)
	}
}
