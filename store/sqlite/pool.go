package sqlite

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/ncruces/go-sqlite3"
)

// maxReaders bounds the connections of a pool, and so what they keep in memory.
const maxReaders = 32

// numReaders is how many connections read at a time: as many as can run, and a
// few where that is one or two, so that one that waits for the disk stops nobody.
func numReaders() int { return min(max(4, runtime.GOMAXPROCS(0)), maxReaders) }

// A pool lends connections that cannot write. All of them are opened at once:
// later, under load, there might be no file descriptor for another.
//
// To begin and to end a transaction costs a reader more than to look something
// up. So it stays in its transaction for as long as nothing is committed, which
// generation tells: it is odd while something is, and even in between. Readers
// that are in a transaction of one even generation see the same. In an odd one
// each read begins its own, for what it must see may change at any moment, and
// no read may see less than another before it.
type pool struct {
	slots chan struct{} // one for each connection that is free

	mu         sync.Mutex
	free       []*reader // the last one that came back is the first to go: its cache is warm
	generation int64
}

// A reader is a connection of a pool.
type reader struct {
	*conn
	in bool  // a transaction
	of int64 // the generation in which it began the transaction
}

func openPool(path, vfs string, n int) (*pool, error) {
	p := &pool{slots: make(chan struct{}, n)}
	for range n {
		c, err := openConn(path, vfs, sqlite3.OPEN_READONLY)
		if err == nil {
			p.free = append(p.free, &reader{conn: c})
			p.slots <- struct{}{}
			_, err = c.value(`SELECT count(*) FROM settings WHERE name = ''`) // opens the log
		}
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	return p, nil
}

// take waits for a free connection, until ctx ends, and has it see all that was
// committed before.
func (p *pool) take(ctx context.Context) (*reader, error) {
	select {
	case <-p.slots:
	default:
		select {
		case <-p.slots:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	last := len(p.free) - 1
	r := p.free[last]
	p.free = p.free[:last]
	generation := p.generation
	p.mu.Unlock()
	if err := r.enter(generation); err != nil {
		p.give(r)
		return nil, err
	}
	return r, nil
}

// give takes a connection back.
func (p *pool) give(r *reader) {
	p.mu.Lock()
	if r.of != p.generation || p.generation%2 == 1 {
		r.leave()
	}
	p.free = append(p.free, r)
	p.mu.Unlock()
	p.slots <- struct{}{}
}

// freshly calls fn. What fn commits is seen by each read that begins after it
// has returned.
func (p *pool) freshly(fn func() error) error {
	p.turn()
	defer p.turn()
	return fn()
}

func (p *pool) turn() {
	p.mu.Lock()
	p.generation++
	p.mu.Unlock()
}

// alone calls fn while no connection is in a transaction but for those that are
// reading, and each of them only for its one read.
func (p *pool) alone(fn func() error) error {
	return p.freshly(func() error {
		p.mu.Lock()
		for _, r := range p.free {
			r.leave()
		}
		p.mu.Unlock()
		return fn()
	})
}

// close closes the connections, all of which must be free.
func (p *pool) close() error {
	var errs []error
	for _, r := range p.free {
		errs = append(errs, r.close())
	}
	p.free = nil
	return errors.Join(errs...)
}

// enter begins a transaction, unless the reader is in one of the generation. What
// it sees is decided when its first statement runs.
func (r *reader) enter(generation int64) error {
	if r.in && r.of == generation {
		return nil
	}
	r.leave()
	if err := r.exec(`BEGIN DEFERRED`); err != nil {
		return err
	}
	r.in, r.of = true, generation
	return nil
}

// leave ends the reader's transaction. It only read: there is nothing that could
// fail, and a connection that cannot leave cannot enter either, which is told.
func (r *reader) leave() {
	if r.in {
		r.exec(`COMMIT`)
		r.in = false
	}
}
