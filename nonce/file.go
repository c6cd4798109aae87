package nonce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File returns a Store that keeps the record in a file at path, for its owner only
// (mode 0600). The folder has to be there. A new record is written beside it, flushed
// to the storage, and then takes its place, so that the file is whole at every moment.
//
// Processes of one machine can share a file: they take turns by a lock on another
// beside it, path.lock. Systems without flock(2) have no File: its methods return
// errors.ErrUnsupported there, and a row of a database does the same.
//
// The file goes with the key, and not with backups: what comes back from a backup is
// a count that went back.
func File(path string) Store { return file(path) }

type file string

// Load returns what the file holds.
func (f file) Load() ([]byte, error) {
	if !canLock {
		return nil, f.unsupported()
	}
	// A link would be replaced by the next Swap, and what it led to would be left
	// with a count of its own.
	info, err := os.Lstat(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file; give the path of the file itself", string(f))
	}
	if err != nil {
		return nil, err
	}
	r, err := os.Open(string(f))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxRecord+1)) // not nil, even of an empty file
}

// Swap replaces the file's content.
func (f file) Swap(old, new []byte) error {
	if !canLock {
		return f.unsupported()
	}
	l, err := f.lock()
	if err != nil {
		return err
	}
	defer l.Close() // which also unlocks it
	record, err := f.Load()
	if err != nil {
		return err
	}
	if (record == nil) != (old == nil) || !bytes.Equal(record, old) {
		return ErrChanged
	}
	return f.replace(new)
}

// lock waits for the lock, and returns the file that has it. One that was removed
// meanwhile locks nothing any more.
func (f file) lock() (*os.File, error) {
	path := string(f) + ".lock"
	for {
		l, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := lock(l); err != nil {
			l.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		locked, err := l.Stat()
		there, thereErr := os.Lstat(path)
		if err == nil && thereErr == nil && os.SameFile(locked, there) {
			return l, nil
		}
		l.Close()
		if err != nil {
			return nil, err
		}
		if thereErr == nil && !there.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file; remove it", path)
		}
	}
}

// replace is atomic: the rename is the one step that changes what Load returns. What
// a process that was killed leaves beside the file is removed by the next.
func (f file) replace(record []byte) error {
	next := string(f) + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // and follows no link
	if err != nil {
		return err
	}
	_, err = w.Write(record)
	if err == nil {
		err = w.Sync()
	}
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(next, string(f)); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(string(f)))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (f file) unsupported() error {
	return fmt.Errorf("%s: no file locks on this system: %w", string(f), errors.ErrUnsupported)
}
