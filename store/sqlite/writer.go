package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// maxBatch bounds the changes of one transaction.
const maxBatch = 256

// The log is copied into the database file when it has checkpointFrames pages of
// 4 KiB. Reads that never pause can keep it from starting anew, so that it grows
// on; at restartFrames the writer waits for those that hold it.
const (
	checkpointFrames = 4000
	restartFrames    = 16000
)

// The statements of a transaction. Each of its changes has a savepoint, once it is
// known that one of them cannot be made.
const (
	sqlBegin    = `BEGIN IMMEDIATE`
	sqlCommit   = `COMMIT`
	sqlUndo     = `ROLLBACK`
	sqlSave     = `SAVEPOINT change`
	sqlRelease  = `RELEASE change`
	sqlRollback = `ROLLBACK TO change`
)

// soon is how long Apply goes on waiting after its context has ended for the
// answer to a change that is being carried out. It is there after a flush, which
// takes milliseconds, unless the disk does not answer at all.
const soon = time.Second

// A request is a change that waits for its turn.
type request struct {
	ctx    context.Context
	writes []write
	taken  atomic.Bool // by the writer, to carry it out, or back by the caller: by one of them
	err    error       // what to answer when the transaction is committed
	answer chan error  // holds one, so that the writer never waits for a caller
}

// take reports whether the request is now whose who called.
func (r *request) take() bool { return r.taken.CompareAndSwap(false, true) }

// Apply carries out a change: all of it or nothing. Changes that wait at the
// same time share a transaction and its flush; what becomes of one does not
// touch the others.
//
// When ctx ends, a change whose turn has not come is taken back. One that is
// being carried out is waited for, a second at most; after that it may yet take
// effect, wholly or not at all.
func (s *Store) Apply(ctx context.Context, change store.Change) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	writes, err := writesOf(change)
	if err != nil {
		return err
	}
	r := &request{ctx: ctx, writes: writes, answer: make(chan error, 1)}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.answer:
		return err
	case <-ctx.Done():
	}
	if r.take() {
		return ctx.Err()
	}
	select {
	case err := <-r.answer:
		return err
	case <-time.After(soon):
		return ctx.Err()
	}
}

// write is the goroutine that writes, until the queue is closed.
func (s *Store) write() {
	defer close(s.written)
	batch := make([]*request, 0, maxBatch)
	for first := range s.queue {
		batch = append(batch[:0], first)
		for len(batch) < maxBatch && len(s.queue) > 0 {
			batch = append(batch, <-s.queue)
		}
		err := s.broken()
		if err == nil {
			if err = s.transact(batch); err != nil {
				err = s.fail(err)
			}
		}
		for _, r := range batch {
			if err != nil {
				r.err = err
			}
			r.answer <- r.err
		}
		if err == nil {
			s.checkpoint()
		}
	}
}

// transact carries out a batch in one transaction. Its error is one of the
// storage; those of single changes are in their requests.
//
// Nearly always all changes of a batch can be made, and savepoints cost a part of
// what their rows do. So the batch is carried out without them, and if one cannot
// be made, it is undone and carried out anew, with them.
func (s *Store) transact(batch []*request) error {
	batch = taken(batch)
	if len(batch) == 0 {
		return nil
	}
	if err := s.writer.exec(sqlBegin); err != nil {
		return err
	}
	made, err := s.tryAll(batch)
	if err != nil {
		return err
	}
	if !made {
		if err := s.writer.exec(sqlUndo); err != nil || len(batch) == 1 {
			return err
		}
		if err := s.makeEach(batch); err != nil {
			return err
		}
	}
	return s.readers.freshly(func() error { return s.writer.exec(sqlCommit) })
}

// taken returns the requests of a batch that nobody has taken back.
func taken(batch []*request) []*request {
	var all []*request
	for _, r := range batch {
		if r.err = r.ctx.Err(); r.err == nil && r.take() {
			all = append(all, r)
		}
	}
	return all
}

// tryAll carries out changes up to the first that cannot be made. It reports
// whether there is none.
func (s *Store) tryAll(batch []*request) (bool, error) {
	for _, r := range batch {
		if err := s.change(r); r.err != nil || err != nil {
			return false, err
		}
	}
	return true, nil
}

// makeEach carries out, in a transaction of their own, those changes that can be
// made.
func (s *Store) makeEach(batch []*request) error {
	if err := s.writer.exec(sqlBegin); err != nil {
		return err
	}
	for _, r := range batch {
		if err := s.writer.exec(sqlSave); err != nil {
			return err
		}
		if err := s.change(r); err != nil {
			return err
		}
		if r.err != nil {
			if err := s.writer.exec(sqlRollback); err != nil {
				return err
			}
		}
		if err := s.writer.exec(sqlRelease); err != nil {
			return err
		}
	}
	return nil
}

// change carries out one change, up to the first write that cannot be made.
func (s *Store) change(r *request) error {
	r.err = nil
	for _, w := range r.writes {
		done, err := w.run(s.writer)
		if err != nil && !isRefusal(err) {
			return err
		}
		if err != nil {
			r.err = fmt.Errorf("store/sqlite: the change was refused: %w", err)
		} else if w.step != none && !done {
			r.err = fmt.Errorf("store/sqlite: %w", &store.ConflictError{Step: w.step})
		}
		if r.err != nil {
			break
		}
	}
	return nil
}

// checkpoint copies the log into the database file when it has grown. What fails
// here is a failure of the storage as any other: SQLite must not try again, for
// a second flush can succeed without having written what the first one lost.
func (s *Store) checkpoint() {
	if s.frames < s.checkpointFrames {
		s.restartAt = s.restartFrames
		return
	}
	mode := sqlite3.CHECKPOINT_PASSIVE
	if s.frames >= s.restartAt {
		mode = sqlite3.CHECKPOINT_RESTART
		s.restartAt = s.frames + s.restartFrames // if it cannot be done now
	}
	err := s.readers.alone(func() error {
		_, _, err := s.writer.WALCheckpoint("main", mode)
		return err
	})
	if err != nil && !isBusy(err) {
		s.fail(fmt.Errorf("checkpoint: %w", err))
	}
}
