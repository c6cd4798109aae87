package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/keyfob-dev/keyfob/store"
)

// work writes from several goroutines until it is done, or until the store
// fails, and returns the ids of what was acknowledged.
func work(t *testing.T, s *Store) (acknowledged []string) {
	t.Helper()
	const callers, each = 3, 7
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				item, change := newIssue()
				err := s.Apply(background, change)
				if err == nil {
					mu.Lock()
					acknowledged = append(acknowledged, item.Credential.ID)
					mu.Unlock()
					_, err = s.Version(background, someSpace, item.Credential.Current)
				}
				if err != nil {
					if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
						t.Errorf("%v; want ErrUnavailable", err)
					}
					return
				}
			}
		})
	}
	wg.Wait()
	return acknowledged
}

// checkBroken asks a store that has failed for everything.
func checkBroken(t *testing.T, s *Store) {
	t.Helper()
	select {
	case <-s.Failed():
	default:
		t.Error("Failed is not closed")
	}
	cause := s.Err()
	if !errors.Is(cause, store.ErrUnavailable) {
		t.Errorf("Err: %v; want ErrUnavailable", cause)
	}
	_, change := newIssue()
	_, versionErr := s.Version(background, someSpace, "a")
	_, settingErr := s.Setting(background, "a")
	_, listErr := s.Credentials(background, store.Query{Space: someSpace, Limit: 1})
	_, usesErr := s.Uses(background, someSpace, "a")
	_, unsealedErr := s.Unsealed(background, 1)
	_, headErr := s.Head(background, someSpace)
	_, markErr := s.Mark(background)
	_, replayErr := s.Replay(background, someSpace, "a")
	for _, err := range []error{
		s.Apply(background, change), s.Apply(background, store.Change{}), versionErr, settingErr, listErr,
		usesErr, unsealedErr, headErr, markErr, replayErr,
	} {
		if err != cause {
			t.Errorf("%v; want the first cause, %v", err, cause)
		}
	}
}

// A failure of the disk, and what it makes a store do.
type diskFault struct {
	name   string
	sort   string
	err    error
	after  bool
	stride int    // not at each operation but at each so manieth
	says   string // in the error: SQLite's code, for that of the system is lost on the way
}

var diskFaults = []diskFault{
	{name: "flush fails", sort: "sync", err: vfs.SystemError(syscall.EIO, sqlite3.IOERR_FSYNC), stride: 1, says: "code 1034)"},
	{name: "disk full", sort: "write", err: vfs.SystemError(syscall.ENOSPC, sqlite3.FULL), stride: 2, says: "code 13)"},
	{name: "write fails", sort: "write", err: vfs.SystemError(syscall.EIO, sqlite3.IOERR_WRITE), stride: 2, says: "code 778)"},
	{name: "read fails", sort: "read", err: vfs.SystemError(syscall.EIO, sqlite3.IOERR_READ), stride: 3, says: "code 266)"},
	{name: "power loss before a flush", sort: "sync", stride: 1, says: "disk I/O error"},
	{name: "power loss after a flush", sort: "sync", after: true, stride: 1, says: "disk I/O error"},
}

// TestFaults lets the disk fail at each operation of a run that begins with a
// database and has some checkpoints, and then the power. From the failure on the
// store answers nothing, and when it is opened again all that was acknowledged
// is there, and all of it whole.
func TestFaults(t *testing.T) {
	for _, f := range diskFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			runs, total := 0, 0
			for at := 1; ; at += f.stride {
				hit, n := faultAt(t, f, at)
				if !hit {
					break
				}
				runs++
				total += n
			}
			t.Logf("%d runs, %d acknowledged, 0 lost", runs, total)
			if runs < 10 {
				t.Errorf("only %d runs; there is little that could have failed", runs)
			}
		})
	}
}

// faultAt has one operation fail, and reports whether there was one, and how
// much was acknowledged.
func faultAt(t *testing.T, f diskFault, at int) (hit bool, acknowledged int) {
	t.Helper()
	path := newDatabase(t)
	d := newDisk(t)
	s, err := open(path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	s.checkpointFrames = 40
	d.mu.Lock()
	clear(d.done)
	d.fault, d.at, d.err, d.after, d.sizes = f.sort, at, f.err, f.after, at%2 == 0
	d.mu.Unlock()
	ids := work(t, s)
	s.Apply(background, store.Change{}) // whose turn comes after a checkpoint
	if hit = d.hit(); hit && s.Err() != nil {
		checkBroken(t, s)
		if !strings.Contains(s.Err().Error(), f.says) {
			t.Errorf("at %d: %v; want the cause, %s", at, s.Err(), f.says)
		}
	} else if hit && !f.after {
		t.Errorf("at %d: the store goes on", at)
	} else if !hit && (s.Err() != nil || len(ids) != 21) {
		t.Errorf("at %d: %d acknowledged, %v", at, len(ids), s.Err())
	}
	s.Close() // which may fail
	d.losePower(t)
	checkIssued(t, mustOpen(t, path), ids)
	return hit, len(ids)
}

// TestFaultsWhileOpening lets the power go at each flush while a new database is
// made, and opens it again.
func TestFaultsWhileOpening(t *testing.T) {
	for at := 1; ; at++ {
		if !faultWhileOpening(t, at, false) {
			break
		}
		faultWhileOpening(t, at, true)
	}
}

// faultWhileOpening reports whether there was such a flush.
func faultWhileOpening(t *testing.T, at int, sizes bool) (hit bool) {
	d := newDisk(t)
	d.fault, d.at, d.sizes = "sync", at, sizes
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s, err := open(path, d.name)
	if err == nil {
		s.Close()
		if !d.hit() {
			return false
		}
	} else if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("at %d: %v; want ErrUnavailable", at, err)
	}
	d.losePower(t)
	s = mustOpen(t, path)
	mustIssue(t, s, 1)
	s.Close()
	return true
}

// TestPowerLossSeesNormal is TestFaults without the flush of each commit: it
// must lose something, or it could not tell.
func TestPowerLossSeesNormal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	d := newDisk(t)
	s, err := open(path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writer.Exec(`PRAGMA synchronous = NORMAL`); err != nil {
		t.Fatal(err)
	}
	ids := work(t, s)
	d.mu.Lock()
	d.off = true
	d.mu.Unlock()
	s.Close()
	d.losePower(t)
	s = mustOpen(t, path)
	lost := 0
	for _, id := range ids {
		if _, err := s.Credential(background, someSpace, id); errors.Is(err, store.ErrNotFound) {
			lost++
		}
	}
	t.Logf("%d acknowledged, %d lost", len(ids), lost)
	if lost == 0 {
		t.Error("with synchronous=NORMAL nothing was lost: the disk of these tests loses nothing")
	}
}

// TestSecured opens a store again whose log could not be flushed. What can be
// read then stays, also when the power goes.
func TestSecured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	d := newDisk(t)
	s, err := open(path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	items := mustIssue(t, s, 10)
	d.mu.Lock()
	clear(d.done)
	d.fault, d.at, d.err = "sync", 1, vfs.SystemError(syscall.EIO, sqlite3.IOERR_FSYNC)
	d.mu.Unlock()
	item, change := newIssue()
	if err := s.Apply(background, change); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v; want ErrUnavailable", err)
	}
	s.Close()
	d.mu.Lock()
	d.fault = ""
	d.mu.Unlock()
	for _, f := range []func(string) (*Store, error){
		func(path string) (*Store, error) { return open(path, d.name) }, Open,
	} {
		if s, err = f(path); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Credential(background, someSpace, item.Credential.ID); err != nil {
			t.Errorf("the change whose flush failed: %v; here it is there, for SQLite has written it", err)
		}
		for _, item := range items {
			if _, err := s.Credential(background, someSpace, item.Credential.ID); err != nil {
				t.Error(err)
			}
		}
		d.mu.Lock()
		d.off = true
		d.mu.Unlock()
		s.Close()
		d.losePower(t)
	}
}

// TestFullThenRoom opens a store again after its disk was full for a moment.
func TestFullThenRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	d := newDisk(t)
	s, err := open(path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	kept := mustIssue(t, s, 3)
	d.mu.Lock()
	clear(d.done)
	d.fault, d.at, d.err = "write", 1, vfs.SystemError(syscall.ENOSPC, sqlite3.FULL)
	d.mu.Unlock()
	item, change := newIssue()
	if err := s.Apply(background, change); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v; want ErrUnavailable", err)
	}
	checkBroken(t, s)
	for _, secret := range []string{item.Credential.Subject, string(item.Versions[0].Digest), fmt.Sprintf("%x", item.Versions[0].Digest)} {
		if strings.Contains(s.Err().Error(), secret) {
			t.Errorf("the error holds what was to be written: %v", s.Err())
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = mustOpen(t, path)
	for _, item := range kept {
		if _, err := s.Credential(background, someSpace, item.Credential.ID); err != nil {
			t.Error(err)
		}
	}
	mustIssue(t, s, 1)
}
