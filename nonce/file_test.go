package nonce_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/nonce"
)

// filePath returns a path for a File, where the system has them.
func filePath(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "count")
	_, err := nonce.File(path).Load()
	needs.That(t, !errors.Is(err, errors.ErrUnsupported), "needs file locks")
	return path
}

func fileStore(t *testing.T) nonce.Store { return nonce.File(filePath(t)) }

// What every Store has to do.
func TestStores(t *testing.T) {
	for name, s := range stores(t) {
		load := func(want []byte) {
			t.Helper()
			if got, err := s.Load(); err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				t.Fatalf("%s: loaded %q, %v, want %q", name, got, err, want)
			}
		}
		changed := func(old, new string) {
			t.Helper()
			if err := s.Swap([]byte(old), []byte(new)); !errors.Is(err, nonce.ErrChanged) {
				t.Fatalf("%s: %q to %q: %v", name, old, new, err)
			}
		}
		load(nil)
		changed("", "one")
		changed("one", "two")
		load(nil)
		one := []byte("one")
		if err := s.Swap(nil, one); err != nil {
			t.Fatal(name, err)
		}
		one[0] = 'x'
		load([]byte("one"))
		changed("two", "three")
		changed("", "three")
		changed("on", "three")
		changed("ones", "three")
		if err := s.Swap(nil, []byte("three")); !errors.Is(err, nonce.ErrChanged) {
			t.Fatal(name, err)
		}
		got, _ := s.Load()
		got[0] = 'x'
		load([]byte("one"))
		if err := s.Swap([]byte("one"), []byte("2")); err != nil {
			t.Fatal(name, err)
		}
		load([]byte("2"))
		if err := s.Swap([]byte("2"), []byte{}); err != nil {
			t.Fatal(name, err)
		}
		load([]byte{}) // which is not nothing
		changed("2", "three")
	}
}

// Of many swaps of one record at once, one wins.
func TestSwapRaces(t *testing.T) {
	for name, s := range stores(t) {
		var old []byte
		for round := range 20 {
			var mu sync.Mutex
			var won [][]byte
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					record := fmt.Appendf(nil, "%d/%d", round, i)
					switch err := s.Swap(old, record); {
					case err == nil:
						mu.Lock()
						won = append(won, record)
						mu.Unlock()
					case !errors.Is(err, nonce.ErrChanged):
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			wg.Wait()
			got, err := s.Load()
			if err != nil || len(won) != 1 || !bytes.Equal(got, won[0]) {
				t.Fatalf("%s: %q won, and %q is stored, %v", name, won, got, err)
			}
			old = got
		}
	}
}

// Only the rename changes what a file holds. So a process that is killed while it
// reserves leaves one of these behind: part or all of the next record beside the file,
// or the next record in it.
func TestFileAfterKills(t *testing.T) {
	path := filePath(t)
	config := nonce.CounterConfig{Store: nonce.File(path), Block: 8}
	counter, err := nonce.CreateCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	last, err := counter.Next()
	if err != nil {
		t.Fatal(err)
	}
	record := read(t, path)
	for n := range len(record) + 9 {
		for _, left := range [][]byte{record[:min(n, len(record))], bytes.Repeat([]byte("x"), n)} {
			if err := os.WriteFile(path+".next", left, 0o600); err != nil {
				t.Fatal(err)
			}
			counter, err := nonce.OpenCounter(config)
			if err != nil {
				t.Fatalf("with %q left behind: %v", left, err)
			}
			next, err := counter.Next()
			if err != nil || bytes.Compare(next, last) <= 0 {
				t.Fatalf("with %q left behind: %x after %x, %v", left, next, last, err)
			}
			last = next
		}
	}
	// The next record was in place, and its number not yet taken.
	counter, err = nonce.OpenCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	if next, err := counter.Next(); err != nil || bytes.Compare(next, last) <= 0 {
		t.Fatalf("%x after %x, %v", next, last, err)
	}
}

// A file that was cut short, emptied, overwritten or lost is refused, when a counter is
// opened and when one in use comes to it.
func TestDamagedFile(t *testing.T) {
	path := filePath(t)
	config := nonce.CounterConfig{Store: nonce.File(path), Block: 1}
	counter, err := nonce.CreateCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	record := read(t, path)
	damaged := [][]byte{{}, []byte("\n"), append(bytes.Clone(record), '\n'), bytes.Repeat([]byte{0}, len(record)), bytes.Repeat(record, 100)}
	for n := range record {
		damaged = append(damaged, record[:n])
	}
	for _, text := range damaged {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := nonce.OpenCounter(config); !errors.Is(err, nonce.ErrDamaged) {
			t.Fatalf("%.80q: %v", text, err)
		}
		if _, err := counter.Next(); !errors.Is(err, nonce.ErrDamaged) {
			t.Fatalf("%.80q: %v", text, err)
		}
		if _, err := nonce.CreateCounter(config); !errors.Is(err, nonce.ErrExists) {
			t.Fatalf("%.80q: %v", text, err)
		}
		if after := read(t, path); !bytes.Equal(after, text) {
			t.Fatalf("%.80q was replaced by %.80q", text, after)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := nonce.OpenCounter(config); !errors.Is(err, nonce.ErrMissing) {
		t.Error(err)
	}
	if _, err := counter.Next(); !errors.Is(err, nonce.ErrMissing) {
		t.Error(err)
	}
	// Errors of the system come through.
	os.Mkdir(path, 0o700)
	if _, err := nonce.OpenCounter(config); err == nil {
		t.Error("a folder is no file")
	}
	config.Store = nonce.File(filepath.Join(t.TempDir(), "no", "such", "folder"))
	if _, err := nonce.CreateCounter(config); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestFileMode(t *testing.T) {
	path := filePath(t)
	if _, err := nonce.CreateCounter(nonce.CounterConfig{Store: nonce.File(path)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o600 {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
}

const killedChild = "KEYFOB_NONCE_KILLED_CHILD"

// TestKill9 takes nonces in three processes at once that share a file, kills them at
// any moment, and starts others, again and again: every nonce that came out came once,
// and those of one process rise.
func TestKill9(t *testing.T) {
	path := filePath(t)
	if _, err := nonce.CreateCounter(nonce.CounterConfig{Store: nonce.File(path)}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	const rounds, processes = 12, 3
	for round := range rounds {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for p := range processes {
			wg.Go(func() {
				lines, err := takeAndKill(self, path, 1+(round*7+p*13)%40)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for i, line := range lines {
					if seen[line] {
						t.Errorf("%s came twice", line)
					}
					if i > 0 && line <= lines[i-1] {
						t.Errorf("%s after %s", line, lines[i-1])
					}
					seen[line] = true
				}
			})
		}
		wg.Wait()
	}
	if len(seen) < rounds*processes {
		t.Errorf("only %d nonces", len(seen))
	}
	t.Logf("%d nonces from %d processes that were killed", len(seen), rounds*processes)
}

// takeAndKill starts a process, kills it when it has written so many nonces, wherever
// it then is, and returns all that it wrote.
func takeAndKill(self, path string, after int) (lines []string, err error) {
	c := exec.Command(self, "-test.run=^TestKill9Child$", "-test.v")
	c.Env = append(os.Environ(), killedChild+"="+path)
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		if line, ok := strings.CutPrefix(scan.Text(), "nonce "); ok && len(line) == 24 {
			lines = append(lines, line)
			if len(lines) == after {
				c.Process.Kill()
			}
		} else if strings.HasPrefix(scan.Text(), "failed") {
			err = errors.New(scan.Text())
			c.Process.Kill()
		}
	}
	c.Wait()
	return lines, err
}

func TestKill9Child(t *testing.T) {
	path := os.Getenv(killedChild)
	if path == "" {
		return // its work is done by TestKill9
	}
	counter, err := nonce.OpenCounter(nonce.CounterConfig{Store: nonce.File(path), Block: 3})
	for err == nil {
		var b []byte
		if b, err = counter.Next(); err == nil {
			_, err = io.WriteString(os.Stdout, "nonce "+hex.EncodeToString(b)+"\n")
		}
	}
	fmt.Println("failed:", err)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
