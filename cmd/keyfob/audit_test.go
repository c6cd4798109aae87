package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptSQL changes the database of a server that is stopped, as somebody does
// who may write to the file.
func scriptSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql DIR STATEMENTS")
	}
	db, err := sqlite3.Open("file:" + filepath.Join(ts.MkAbs(args[0]), databaseFile))
	ts.Check(err)
	defer db.Close()
	before, err := changes(db)
	ts.Check(err)
	ts.Check(db.Exec(args[1]))
	if after, err := changes(db); err != nil || after == before {
		ts.Fatalf("%s changes nothing (%v)", args[1], err)
	}
}

// changes is how many rows a connection has changed.
func changes(db *sqlite3.Conn) (int64, error) {
	stmt, _, err := db.Prepare(`SELECT total_changes()`)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	stmt.Step()
	return stmt.ColumnInt64(0), stmt.Err()
}

// scriptCopy copies a data directory, or puts an older copy in its place.
func scriptCopy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: copydir FROM TO")
	}
	from, to := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	ts.Check(os.RemoveAll(to))
	ts.Check(os.MkdirAll(to, 0o700))
	entries, err := os.ReadDir(from)
	ts.Check(err)
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(to, e.Name()), text, 0o600))
	}
}

// A time is given in full, or as how long it is until then, and in one spelling.
func TestMoment(t *testing.T) {
	for text, want := range map[string]string{
		"never": "never", "30d": "4w2d", "1h30m": "1h30m", "1w": "1w", "2030-01-02T03:04:05Z": "2030-01-02T03:04:05Z",
		"2030-01-02T03:04:05.678Z": "2030-01-02T03:04:05.678Z", "2030-01-02T03:04:05+01:00": "2030-01-02T03:04:05+01:00",
	} {
		v := momentValue{none: "never", zero: "is 0"}
		if err := v.Set(text); err != nil || v.String() != want {
			t.Errorf("%s: %s, %v", text, &v, err)
		}
		if at, ok := v.when(); ok != (text != "never") || ok && !at.After(time.Now()) {
			t.Errorf("%s: %v, %v", text, at, ok)
		}
	}
	for _, text := range []string{
		"", "0", "0s", "now", "Never", "-1d", "30", "1 d", "1d12", "2030-01-02", "2030-01-02 03:04:05Z", "2030-01-02T03:04:05", "2030-01-02T3:04:05Z", "2030-01-02T03:04:05,5Z",
		"2030-02-30T03:04:05Z", "0001-01-01T00:00:00Z", "03:04:05", "T", "1893456000", "tomorrow",
	} {
		v := momentValue{none: "never", zero: "is 0"}
		if err := v.Set(text); err == nil {
			t.Errorf("%q passes as %s", text, &v)
		}
	}
	var uses usesValue
	for _, text := range []string{"", "0", "-1", "+1", "1.0", "1e3", "9223372036854775808", "Unlimited", "never", "0x10", "1_000"} {
		if err := uses.Set(text); err == nil {
			t.Errorf("uses of %q pass as %s", text, &uses)
		}
	}
	for text, want := range map[string]usesValue{"1": 1, "9223372036854775807": 9223372036854775807, "unlimited": 0} {
		if err := uses.Set(text); err != nil || uses != want || uses.String() != text {
			t.Errorf("uses of %s: %s, %v", text, &uses, err)
		}
	}
}
