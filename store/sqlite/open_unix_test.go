//go:build unix

package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unprivileged has a child run as somebody whom file modes can refuse, with a
// copy of the test binary that they can read.
func unprivileged(t *testing.T) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		if os.Geteuid() != 0 {
			return
		}
		const nobody = 65534
		b, err := os.ReadFile(c.Path)
		if err == nil {
			c.Path = filepath.Join(openDir(t), "test")
			err = os.WriteFile(c.Path, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// openDir makes a directory that everybody can reach.
func openDir(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestNotWritable opens a database where this user may not write.
func TestNotWritable(t *testing.T) {
	for _, test := range []struct {
		what          string
		dirMode, mode os.FileMode // a mode of 0: there is no database
		says          []string
	}{
		{what: "a new one in a directory that cannot be written", dirMode: 0o555,
			says: []string{"cannot lock the database", "directory must be writable", "permission denied"}},
		{what: "one that cannot be read", dirMode: 0o777, mode: 0o200, says: []string{"keyfob.db: permission denied"}},
		{what: "one that cannot be written", dirMode: 0o777, mode: 0o444, says: []string{"cannot open", "permission denied"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir := openDir(t)
			path := filepath.Join(dir, "keyfob.db")
			if test.mode != 0 {
				mustOpen(t, path).Close()
				if err := os.Remove(path + lockSuffix); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, test.mode); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, test.dirMode); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(dir, 0o700)
			before := ""
			if b, err := os.ReadFile(path); err == nil {
				before = string(b)
			}
			line := startChild(t, "open", path, unprivileged(t)).line()
			for _, says := range test.says {
				if !strings.Contains(line, says) {
					t.Errorf("%q; want an error that says %q", line, says)
				}
			}
			if b, err := os.ReadFile(path); err == nil {
				if diff := cmp.Diff(before, string(b)); diff != "" {
					t.Error("the database was changed")
				}
			}
		})
	}
}
