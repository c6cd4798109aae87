package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/store"
)

// mustExec runs SQL on a file as another program would.
func mustExec(t testing.TB, path, sql string) {
	t.Helper()
	c, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE)
	if err == nil {
		err = errors.Join(c.Exec(sql), c.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// contents returns the files of a directory and what is in them.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			files[e.Name()] = e.Type().String()
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyfob.db")
	for round := range 3 {
		s := mustOpen(t, path)
		item := mustIssue(t, s, 1)[0]
		want := []string{"keyfob.db", "keyfob.db-shm", "keyfob.db-wal", "keyfob.db.lock"}
		if diff := cmp.Diff(want, names(t, dir)); diff != "" {
			t.Errorf("round %d: files of an open store (-want +got):\n%s", round, diff)
		}
		for _, name := range want {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("round %d: %s has mode %v; want 0600", round, name, info.Mode())
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"keyfob.db", "keyfob.db.lock"}, names(t, dir)); diff != "" {
			t.Errorf("round %d: files of a closed store (-want +got):\n%s", round, diff)
		}
		// The one file is the whole database.
		copied := filepath.Join(t.TempDir(), "copy.db")
		b, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(copied, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := mustOpen(t, copied).Credential(background, someSpace, item.Credential.ID)
		if err != nil || !cmp.Equal(got, item) {
			t.Errorf("round %d: in a copy: %v, %v; want %v", round, got, err, item)
		}
	}
}

// TestEmptyFile opens a file that somebody made for the database.
func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	mustIssue(t, mustOpen(t, path), 1)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

// TestLogMode opens a database that an operator lets a group read.
func TestLogMode(t *testing.T) {
	needs.That(t, runtime.GOOS != "windows", "needs file modes as Unix has them")
	path := filepath.Join(t.TempDir(), "keyfob.db")
	mustOpen(t, path).Close()
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path)
	for _, suffix := range []string{"", logSuffix, indexSuffix} {
		if info, err := os.Stat(path + suffix); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("mode of keyfob.db%s: %v, %v; want 0640", suffix, info.Mode(), err)
		}
	}
}

// TestUnfinished opens what a process leaves that dies while it makes a database.
func TestUnfinished(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyfob.db")
	for _, suffix := range []string{"", logSuffix, indexSuffix, undoSuffix} {
		if err := os.WriteFile(path+newSuffix+suffix, []byte("half a database"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, path)
	mustIssue(t, s, 1)
	s.Close()
	if diff := cmp.Diff([]string{"keyfob.db", "keyfob.db.lock"}, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestNames opens files whose names mean something in URIs and elsewhere.
func TestNames(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"keyfob.db", "a?mode=memory", "a#b", "a%20b", "a b", "a&vfs=memdb", "ä🔑", "-", "a'b\"c`d", "a;b", `a\b`, "a:b", "memory:",
		".hidden", "a%00b", "a.db-wal", strings.Repeat("x", 200),
	} {
		s, err := Open(name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		item := mustIssue(t, s, 1)[0]
		s.Close()
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%q: the database is elsewhere: %v", name, err)
		}
		s = mustOpen(t, "./"+name)
		if _, err := s.Credential(background, someSpace, item.Credential.ID); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		s.Close()
	}
}

// TestNotAPath gives what is no path of a file that a database could be in.
func TestNotAPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"":                               "the path is empty",
		":memory:":                       "store/memory",
		"file:keyfob.db":                 "as a URI does",
		"file:///keyfob.db?mode=ro":      "as a URI does",
		"a\x00b":                         "NUL",
		"dir/":                           "names a directory",
		dir + string(filepath.Separator): "names a directory",
		filepath.Join(dir, "no", "such", "keyfob.db"): "does not exist; create it first",
		filepath.Join(file, "keyfob.db"):              "not a directory",
		filepath.Join(dir, "link"):                    "cannot follow the symbolic link",
		filepath.Join(dir, strings.Repeat("x", 1100)): "at most 1000",
	} {
		before := contents(t, dir)
		_, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Open(%.40q): %v; want an error that says %q", path, err, says)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
			t.Errorf("Open(%.40q) left something (-before +after):\n%s", path, diff)
		}
	}
}

// TestInUse opens a database twice, under all its names.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	path := filepath.Join(dir, "keyfob.db")
	s := mustOpen(t, path)
	if err := os.Symlink(path, filepath.Join(dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "self")); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{path, "keyfob.db", "./keyfob.db", "link.db", filepath.Join("self", "link.db")} {
		if _, err := Open(other); !errors.Is(err, store.ErrInUse) || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Open(%q): %v; want ErrInUse", other, err)
		}
	}
	c := startChild(t, "open", path)
	if line := c.line(); !strings.Contains(line, store.ErrInUse.Error()) {
		t.Errorf("another process: %q; want ErrInUse", line)
	}
	mustIssue(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c := startChild(t, "open", path); c.line() != "" || c.Wait() != nil {
		t.Error("another process cannot open a closed store")
	}
	mustOpen(t, path)
}

// TestInUseByAnother opens a database that another process has, which is then
// killed.
func TestInUseByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	for range 3 {
		c := startChild(t, "hold", path)
		if line := c.line(); line != "open" {
			t.Fatal(line)
		}
		if _, err := Open(path); !errors.Is(err, store.ErrInUse) {
			t.Errorf("%v; want ErrInUse", err)
		}
		c.kill()
		s, err := Open(path)
		if err != nil {
			t.Fatalf("after kill -9: %v", err)
		}
		s.Close()
	}
}

// TestFailedOpen opens again after each sort of failure: nothing is left locked.
func TestFailedOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	mustOpen(t, path).Close()
	mustExec(t, path, `INSERT INTO schema_version (version_id, is_applied) VALUES (4711, 1)`)
	for range 3 {
		if _, err := Open(path); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("%v; want ErrNewerSchema", err)
		}
	}
	if _, err := open(filepath.Join(t.TempDir(), "keyfob.db"), "no such vfs"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v; want ErrUnavailable", err)
	}
}
