package sqlite

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// foreignFiles make files that are not ours.
func foreignFiles(t *testing.T) map[string]func(path string) error {
	random := make([]byte, 10_000)
	rand.Read(random)
	ours := filepath.Join(t.TempDir(), "keyfob.db")
	mustOpen(t, ours).Close()
	database, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(database)
	binary.BigEndian.PutUint32(other[headerID:], 1)
	anonymous := bytes.Clone(database)
	binary.BigEndian.PutUint32(anonymous[headerID:], 0)
	badHeader := bytes.Clone(database)
	copy(badHeader[16:], "\xff\xff") // the page size
	file := func(b []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, b, 0o644) }
	}
	return map[string]func(path string) error{
		"random bytes":                 file(random),
		"text":                         file([]byte("root:x:0:0:root:/root:/bin/sh\n")),
		"a byte":                       file([]byte("S")),
		"zeros":                        file(bytes.Repeat([]byte{0}, 4096)),
		"a header that is cut":         file(database[:99]),
		"the magic alone":              file(database[:16]),
		"a header that makes no sense": file(badHeader),
		"another application's":        file(other),
		"nobody's":                     file(anonymous),
		"a directory":                  func(path string) error { return os.Mkdir(path, 0o755) },
		"another SQLite database": func(path string) error {
			mustExec(t, path, `CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY)`)
			return nil
		},
		"another in WAL mode": func(path string) error {
			mustExec(t, path, `PRAGMA journal_mode = WAL; CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY)`)
			return nil
		},
		"an empty SQLite database": func(path string) error {
			mustExec(t, path, `PRAGMA user_version = 1; VACUUM`)
			return nil
		},
	}
}

// TestForeign opens files that are not ours, and must not touch them.
func TestForeign(t *testing.T) {
	for what, make := range foreignFiles(t) {
		dir := t.TempDir()
		path := filepath.Join(dir, "theirs")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		before := contents(t, dir)
		info, _ := os.Stat(path)
		s, err := Open(path)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, store.ErrForeign) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v; want ErrForeign", what, err)
		}
		after := contents(t, dir)
		if before["theirs"] != after["theirs"] {
			t.Errorf("%s: the file was changed", what)
		}
		if what != "a header that makes no sense" && len(after) != len(before) {
			t.Errorf("%s: files appeared beside it: %q", what, names(t, dir))
		}
		if now, err := os.Stat(path); err != nil || now.Mode() != info.Mode() || !now.ModTime().Equal(info.ModTime()) {
			t.Errorf("%s: mode or time was changed: %v", what, err)
		}
	}
}

// TestDamaged opens a database of ours with a hole in it.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s := mustOpen(t, path)
	items := mustIssue(t, s, 500)
	s.Close()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Seek(0, 2)
	junk := bytes.Repeat([]byte{0xa5}, 4096)
	for at := int64(4 * 4096); at < size; at += 4096 {
		f.WriteAt(junk, at)
	}
	f.Close()
	s, err = Open(path)
	if err == nil {
		defer s.Close()
		for _, item := range items {
			if _, err = s.Version(background, someSpace, item.Credential.Current); err != nil {
				break
			}
		}
		if s.Err() == nil {
			t.Error("the store does not say that it has failed")
		}
	}
	if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("a damaged database: %v; want ErrUnavailable", err)
	}
}

func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s := mustOpen(t, path)
	item := mustIssue(t, s, 1)[0]
	s.Close()
	newest, err := newestSchema()
	if err != nil || newest < 1 {
		t.Fatal(newest, err)
	}
	mustExec(t, path, `INSERT INTO schema_version (version_id, is_applied) VALUES (4711, 1)`)
	before, _ := os.ReadFile(path)
	_, err = Open(path)
	if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "schema 4711") ||
		!strings.Contains(err.Error(), fmt.Sprintf("none above %d;", newest)) || !strings.Contains(err.Error(), "run the newer version") {
		t.Errorf("%v; want ErrNewerSchema with both numbers and what to do", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the database was changed")
	}
	mustExec(t, path, `DELETE FROM schema_version WHERE version_id = 4711`)
	if _, err := mustOpen(t, path).Credential(background, someSpace, item.Credential.ID); err != nil {
		t.Error(err)
	}
}

// TestJournalMode opens a database that another program took out of WAL mode.
func TestJournalMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	mustOpen(t, path).Close()
	mustExec(t, path, `PRAGMA journal_mode = DELETE`)
	mustOpen(t, path).Close()
	for _, name := range names(t, filepath.Dir(path)) {
		if info, err := os.Stat(filepath.Join(filepath.Dir(path), name)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || b[18] != 2 || b[19] != 2 {
		t.Errorf("the file is not of WAL mode: %d, %v", b[18:20], err)
	}
	s := mustOpen(t, path)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1", "cache_spill": "0", "foreign_keys": "1",
		"trusted_schema": "0", "wal_autocheckpoint": "0", "temp_store": "2", "application_id": "1801812326",
	} {
		if got, err := s.writer.value(`PRAGMA ` + pragma); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
		}
	}
	for _, r := range s.readers.free {
		if err := r.exec(`DELETE FROM events`); !errors.Is(err, sqlite3.READONLY) {
			t.Errorf("a reader writes: %v", err)
		}
	}
}

// TestLogWithoutDatabase opens what remains when somebody removes the database
// file of a store that had crashed.
func TestLogWithoutDatabase(t *testing.T) {
	for _, suffix := range []string{logSuffix, undoSuffix} {
		dir := t.TempDir()
		path := filepath.Join(dir, "keyfob.db")
		if err := os.WriteFile(path+suffix, []byte("the last changes"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "holds the last changes") {
			t.Errorf("%s: %v; want an error that tells of it", suffix, err)
		}
		if b, _ := os.ReadFile(path + suffix); string(b) != "the last changes" {
			t.Errorf("%s was changed", suffix)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a database was made: %v", suffix, err)
		}
	}
}
