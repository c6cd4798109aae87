package nonce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A count that is reached through a link would be forked by the first Swap, which
// puts a file in the link's place: it is refused.
func TestFileRefusesLinks(t *testing.T) {
	if !canLock {
		t.Skip("no file locks on this system")
	}
	dir := t.TempDir()
	path, alias := filepath.Join(dir, "count"), filepath.Join(dir, "alias")
	if _, err := CreateCounter(CounterConfig{Bytes: 12, Store: File(path)}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, alias); err != nil {
		t.Skip("no links here")
	}
	if _, err := OpenCounter(CounterConfig{Bytes: 12, Store: File(alias)}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("through a link: %v", err)
	}

	// What lies in the new record's place is removed, and not written to.
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path+".next"); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCounter(CounterConfig{Bytes: 12, Store: File(path)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "mine" {
		t.Errorf("the file that a link led to holds %q, %v", text, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the count is %v, %v", info, err)
	}
}

// Who waits for a lock whose file was removed meanwhile takes the one that is there.
func TestLockThatWasRemoved(t *testing.T) {
	if !canLock {
		t.Skip("no file locks on this system")
	}
	f := file(filepath.Join(t.TempDir(), "count"))
	held, err := f.lock()
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan *os.File)
	go func() {
		l, err := f.lock()
		if err != nil {
			t.Error(err)
		}
		waiting <- l
	}()
	if err := os.Remove(held.Name()); err != nil {
		t.Fatal(err)
	}
	held.Close()
	l := <-waiting
	defer l.Close()
	locked, err := l.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if there, err := os.Stat(held.Name()); err != nil || !os.SameFile(locked, there) {
		t.Errorf("the lock is on a file that is gone: %v", err)
	}
}

// A message that lies across the result is refused, as the standard library does: it
// would be overwritten before it is read.
func TestSealRefusesOverlap(t *testing.T) {
	aead, err := newXChaCha(make([]byte, 32))
	if err != nil {
		t.Skip(err)
	}
	for name, seal := range map[string]func(buf []byte){
		"message":         func(buf []byte) { aead.Seal(buf[:0], nil, buf[2:12], nil) },
		"additional data": func(buf []byte) { aead.Seal(buf[:0], nil, []byte("x"), buf[3:9]) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s across the result is sealed", name)
				}
			}()
			seal(make([]byte, 200))
		}()
	}
	buf := make([]byte, 200)
	copy(buf, "hello")
	sealed := aead.Seal(buf[:0], nil, buf[:5], nil) // at its begin it may lie
	if text, err := aead.Open(nil, nil, sealed, nil); err != nil || string(text) != "hello" {
		t.Errorf("in place: %q, %v", text, err)
	}
}
