package sqlite

import (
	"errors"
	"os"
	"testing"

	"github.com/keyfob-dev/keyfob/store"
)

// TestLogFile counts what reaches the log.
func TestLogFile(t *testing.T) {
	path := newDatabase(t)
	d := newDisk(t)
	s, err := open(path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustIssue(t, s, 1)
	during := func(f func()) (writes, syncs int, grown int64) {
		before, _ := os.Stat(path + logSuffix)
		d.mu.Lock()
		writes, syncs = d.done["write"], d.done["sync"]
		d.mu.Unlock()
		f()
		after, err := os.Stat(path + logSuffix)
		if err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.done["write"] - writes, d.done["sync"] - syncs, after.Size() - before.Size()
	}

	writes, syncs, grown := during(func() { mustIssue(t, s, 1) })
	if writes != 1 || syncs != 1 || grown != 0 {
		t.Errorf("a change: %d writes, %d flushes, %d bytes more; want 1, 1 and 0", writes, syncs, grown)
	}

	// More than what waits, and than what SQLite keeps of its own accord.
	if err := s.writer.Exec(`PRAGMA cache_size = 50`); err != nil {
		t.Fatal(err)
	}
	var all store.Change
	for range 3000 {
		_, change := newIssue()
		all.Steps = append(all.Steps, change.Steps...)
	}
	refused := all
	refused.Steps = append(refused.Steps[:len(all.Steps):len(all.Steps)], all.Steps[0])
	writes, syncs, grown = during(func() {
		if err := s.Apply(background, refused); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%v; want a conflict", err)
		}
	})
	if writes != 0 || syncs != 0 || grown != 0 {
		t.Errorf("a change that was undone: %d writes, %d flushes, %d bytes more; want none", writes, syncs, grown)
	}
	frames := s.frames
	writes, syncs, _ = during(func() {
		if err := s.Apply(background, all); err != nil {
			t.Error(err)
		}
	})
	want := (s.frames-frames)*(frameHeader+4096)/gatherMost + 2 // of which one lets the file grow
	if writes > want || syncs != 1 {
		t.Errorf("%d pages: %d writes, %d flushes; want %d at most, and 1", s.frames-frames, writes, syncs, want)
	}
}
