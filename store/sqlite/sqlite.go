package sqlite

import (
	"context"
	"errors"
	"sync"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// A Store is a [store.Store] in a file. [Open] makes one; the zero value is of
// no use.
type Store struct {
	lock    *flock.Flock
	readers *pool
	failure failure

	mu     sync.RWMutex // guards closed, and calls against waiting too early
	closed bool
	calls  sync.WaitGroup // the calls that are under way
	stop   func() error   // shutdown, once

	// Of the goroutine that writes, and, when it has ended, of shutdown.
	queue     chan *request
	written   chan struct{} // closed when the goroutine has ended
	writer    *conn
	frames    int // pages in the log after the last commit
	restartAt int // how many make the writer wait until the log can start anew

	checkpointFrames, restartFrames int // as the constants, but in tests
}

var _ store.Store = (*Store)(nil)

// Open opens the database in the file at path, which it creates if it is absent
// or empty. Its directory must be there.
//
// It returns [store.ErrInUse] at once when somebody else has the database open,
// [store.ErrForeign] for a file that is no database of keyfob's, which stays as
// it is, and [store.ErrNewerSchema] for one that a newer keyfob has written.
func Open(path string) (*Store, error) { return open(path, "") }

// open is Open on a file system that is registered as an SQLite VFS; the empty
// name is the operating system's.
func open(path, vfs string) (_ *Store, err error) {
	path, err = resolve(path)
	if err != nil {
		return nil, err
	}
	// First of all, so that no lock file appears beside somebody else's file.
	if _, err := examine(path); err != nil {
		return nil, err
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		lock:    lock,
		failure: failure{done: make(chan struct{})},
		queue:   make(chan *request, maxBatch),
		written: make(chan struct{}),

		checkpointFrames: checkpointFrames, restartFrames: restartFrames,
	}
	s.stop = sync.OnceValue(s.shutdown)
	if err := s.start(path, vfs); err != nil {
		return nil, errors.Join(err, s.release())
	}
	go s.write()
	return s, nil
}

// start opens the connections of a database that is locked.
func (s *Store) start(path, vfs string) error {
	if err := ensure(path, vfs); err != nil {
		return err
	}
	var err error
	if s.writer, err = openConn(path, withLogFile(vfs), sqlite3.OPEN_READWRITE); err != nil {
		return openError(path, err)
	}
	s.writer.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		s.frames = pages
		return nil
	})
	if err := migrate(s.writer, path, vfs); err != nil {
		return err
	}
	if err := secure(s.writer); err != nil {
		return openError(path, err)
	}
	if s.readers, err = openPool(path, vfs, numReaders()); err != nil {
		return openError(path, err)
	}
	return nil
}

// secure makes last what a process that died has left in the log, before anybody
// is told of it: it may be in the system's memory only, and when that process
// died of a failed flush, to flush the log again does not help. So it goes to the
// database file; and then a commit, of whatever, flushes the log that begins
// anew, lest the old one come back without its end.
func secure(c *conn) error {
	if _, _, err := c.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE); err != nil {
		return err
	}
	return c.Exec(`PRAGMA user_version = 1`)
}

// begin begins a call, which ends with calls.Done.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	if err := s.broken(); err != nil {
		return err
	}
	s.calls.Add(1)
	return nil
}

// broken returns the error of a store that has failed.
func (s *Store) broken() error {
	select {
	case <-s.failure.done:
		return s.failure.err
	default:
		return nil
	}
}

// Failed returns a channel that is closed when the storage has failed, for
// instance because the disk is full. From then on all methods answer
// [store.ErrUnavailable]; Err says why. What can be done is to close the store
// and to open it again.
func (s *Store) Failed() <-chan struct{} { return s.failure.done }

// Err returns nil until Failed is closed, and then the error that all methods
// answer.
func (s *Store) Err() error { return s.broken() }

// Close waits for the calls that are under way, writes the log into the database
// file, and closes it. Later calls answer [store.ErrUnavailable]. Closing again
// does nothing and returns the same.
func (s *Store) Close() error { return s.stop() }

func (s *Store) shutdown() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.calls.Wait()
	close(s.queue)
	<-s.written
	err := s.readers.close() // first, for what a reader sees must stay in the log
	if s.broken() == nil {
		err = errors.Join(err, s.settle())
	}
	return errors.Join(err, s.release())
}

// settle empties the log, so that the database file is the whole database. Only
// when that has been done may SQLite delete the log.
func (s *Store) settle() error {
	_, _, err := s.writer.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	if isBusy(err) { // another program reads: the log stays, and is part of the database
		return nil
	}
	if err == nil {
		_, err = s.writer.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false)
	}
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// release closes whatever is open. The lock goes last.
func (s *Store) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	if err := errors.Join(errs...); err != nil {
		errs = []error{unavailable(err)}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
