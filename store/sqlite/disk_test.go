package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// A disk is a layer between SQLite and the files of the operating system that
// can fail, and can lose power: then what was not flushed is gone.
type disk struct {
	vfs.VFS
	name string // under which it is registered

	flush time.Duration // how long a flush takes, besides

	mu       sync.Mutex
	done     map[string]int    // how many operations of each sort were made
	fault    string            // the sort of operation to fail
	at       int               // which of them: the first is 1
	err      error             // what it answers; nil: the power goes off before it
	off      bool              // nothing works any more
	sizes    bool              // a file that loses what was written keeps its size, with zeros
	after    bool              // it takes effect, and then the power goes off
	unsynced map[string][]undo // by the name of the file, the oldest first
}

// An undo is how a part of a file was before it was written.
type undo struct {
	at    int64
	old   []byte
	size  int64 // of the file
	empty bool  // it was then made empty
	lost  bool  // a flush of it has failed, and none will be tried again
}

var disks atomic.Int64

// newDisk registers a disk for the time of a test.
func newDisk(t testing.TB) *disk {
	d := &disk{
		VFS: vfs.Find(""), name: fmt.Sprint("disk", disks.Add(1)),
		done: map[string]int{}, unsynced: map[string][]undo{},
	}
	vfs.Register(d.name, d)
	t.Cleanup(func() { vfs.Unregister(d.name) })
	return d
}

var errOff = vfs.SystemError(errors.New("the power is off"), sqlite3.IOERR)

// try counts an operation, and returns why it fails. It is called with the lock.
func (d *disk) try(sort string) error {
	if d.off {
		return errOff
	}
	d.done[sort]++
	if sort != d.fault || d.done[sort] < d.at {
		return nil
	}
	if d.err != nil && d.done[sort] > d.at {
		return nil
	}
	if d.err == nil {
		if d.after && d.done[sort] == d.at {
			return nil
		}
		d.off = true
		return errOff
	}
	return d.err
}

// tried is called when an operation has succeeded.
func (d *disk) tried(sort string) {
	if d.after && sort == d.fault && d.done[sort] == d.at {
		d.off = true
	}
}

// hit reports whether the fault has come.
func (d *disk) hit() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault != "" && d.done[d.fault] >= d.at
}

// losePower takes back all that was written and not flushed since. Where sizes is
// set, files that had grown are as large as before, as some file systems have
// it. The store must have been closed.
func (d *disk) losePower(t testing.TB) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, undos := range d.unsynced {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) { // a new database, which has its name by now
			f, err = os.OpenFile(strings.TrimSuffix(name, newSuffix), os.O_RDWR, 0)
		}
		if err != nil {
			continue
		}
		grown, err := f.Seek(0, io.SeekEnd)
		for _, u := range slices.Backward(undos) {
			_, writeErr := f.WriteAt(u.old, u.at)
			err = errors.Join(err, writeErr, f.Truncate(u.size))
		}
		if size, _ := f.Seek(0, io.SeekEnd); d.sizes && size < grown {
			err = errors.Join(err, f.Truncate(grown))
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	clear(d.unsynced)
}

func (d *disk) Delete(name string, syncDir bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return errOff
	}
	delete(d.unsynced, name)
	return d.VFS.Delete(name, syncDir)
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, flags, errOff
	}
	f, flags, err := d.VFS.(vfs.VFSFilename).OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	return &diskFile{File: f, disk: d, name: name.String()}, flags, nil
}

type diskFile struct {
	vfs.File
	disk *disk
	name string
}

func (f *diskFile) SharedMemory() vfs.SharedMemory {
	return f.File.(vfs.FileSharedMemory).SharedMemory()
}

func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.try("read"); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *diskFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.try("write"); err != nil {
		return 0, err
	}
	if err := f.remember(off, len(p), false); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *diskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.try("truncate"); err != nil {
		return err
	}
	was, err := f.File.Size()
	if err == nil {
		err = f.remember(size, int(max(0, was-size)), size == 0)
	}
	if err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// remember keeps a part of the file that is about to be written.
func (f *diskFile) remember(at int64, n int, empty bool) error {
	size, err := f.File.Size()
	if err != nil {
		return err
	}
	old := make([]byte, max(0, min(int64(n), size-at)))
	if len(old) > 0 {
		if _, err := f.File.ReadAt(old, at); err != nil {
			return err
		}
	}
	f.disk.unsynced[f.name] = append(f.disk.unsynced[f.name], undo{at: at, old: old, size: size, empty: empty})
	return nil
}

// Sync that fails loses what was to be flushed for good, as is so of Linux: it
// takes the pages for clean, and a later flush succeeds without them. Only what
// is written again lasts then; for simplicity, when all of the file is.
func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	d := f.disk
	time.Sleep(d.flush)
	if err := f.File.Sync(flags); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	undos := d.unsynced[f.name]
	if err := d.try("sync"); err != nil {
		for i := range undos {
			undos[i].lost = true
		}
		return err
	}
	if i := slices.IndexFunc(undos, func(u undo) bool { return u.empty && !u.lost }); i >= 0 {
		undos = undos[i:]
	}
	if !slices.ContainsFunc(undos, func(u undo) bool { return u.lost }) {
		undos = nil
	}
	d.unsynced[f.name] = undos
	d.tried("sync")
	return nil
}
