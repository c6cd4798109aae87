package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keyfob-dev/keyfob/store"
)

// TestLogIsBounded writes while others never stop reading.
func TestLogIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s := mustOpen(t, path)
	s.checkpointFrames, s.restartFrames = 100, 300
	mustIssue(t, s, 100)
	var done atomic.Bool
	var wg sync.WaitGroup
	for range numReaders() {
		wg.Go(func() {
			for !done.Load() {
				if _, err := s.Credentials(background, store.Query{Space: someSpace, Limit: 20}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	most, written := int64(0), 0
	last := s.frames
	for range 1000 {
		mustIssue(t, s, 20)
		if info, err := os.Stat(path + logSuffix); err == nil {
			most = max(most, info.Size())
		}
		if s.frames < last { // the log has started anew
			last = 0
		}
		written += s.frames - last
		last = s.frames
		if written > 5*s.restartFrames {
			break
		}
	}
	done.Store(true)
	wg.Wait()
	const page = 4096 + 24
	t.Logf("%d kB were written to the log, which was never larger than %d kB", written*page>>10, most>>10)
	// A checkpoint that finds readers in its way has to be made again.
	if limit := int64(3*s.restartFrames)*page + fillAhead; most > limit {
		t.Errorf("the log grew to %d bytes; want at most %d", most, limit)
	}
	if written <= 5*s.restartFrames {
		t.Errorf("only %d pages were written; too few to show anything", written)
	}
}

// TestNoTemporaryFiles applies a change that is larger than what SQLite keeps in
// memory of its own accord, and undoes it, where no temporary file can be made.
func TestNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SQLITE_TMPDIR", filepath.Join(dir, "nowhere"))
	s := mustOpen(t, filepath.Join(dir, "keyfob.db"))
	var all store.Change
	for range 1000 {
		_, change := newIssue()
		all.Steps = append(all.Steps, change.Steps...)
	}
	all.Steps = append(all.Steps, all.Steps[0])
	if err := s.Apply(background, all); !errors.Is(err, store.ErrConflict) {
		t.Errorf("%v; want a conflict", err)
	}
	all.Steps = all.Steps[:len(all.Steps)-1]
	if err := s.Apply(background, all); err != nil {
		t.Error(err)
	}
}

// TestIdleReaders writes after all connections have read, and then read no more.
func TestIdleReaders(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	s.checkpointFrames = 50
	mustIssue(t, s, 1)
	s.readers.mu.Lock()
	for _, r := range s.readers.free {
		if err := r.enter(s.readers.generation); err != nil {
			t.Fatal(err)
		}
		if _, err := r.value(`SELECT count(*) FROM events`); err != nil {
			t.Fatal(err)
		}
	}
	s.readers.mu.Unlock()
	for range 100 {
		mustIssue(t, s, 1)
		if s.Err() != nil || s.frames > 2*s.checkpointFrames {
			t.Fatalf("%d pages in the log, %v", s.frames, s.Err())
		}
	}
}
