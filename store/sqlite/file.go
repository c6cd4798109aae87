package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob/store"
)

// The files beside a database.
const (
	logSuffix   = "-wal"     // SQLite's write-ahead log
	indexSuffix = "-shm"     // SQLite's index of the log
	undoSuffix  = "-journal" // SQLite's, for a moment, beside a new file
	lockSuffix  = ".lock"
	newSuffix   = ".new" // a database that is not finished
)

// maxPath is less than what SQLite takes, for the suffixes.
const maxPath = 1000

// applicationID stands in the header of each of our databases: "keyf".
const applicationID = 0x6b657966

// The header of an SQLite database, https://sqlite.org/fileformat.html.
const (
	headerSize  = 100
	headerMagic = "SQLite format 3\x00"
	headerMode  = 18 // where the mode is: 2 is WAL
	headerID    = 68 // where the application id is, big-endian
)

// resolve returns the absolute path of a database file, without symbolic links,
// so that two names of a file are one to the lock.
func resolve(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("store/sqlite: the path is empty; give that of a file (store/memory keeps records in memory)")
	case strings.HasPrefix(path, ":memory:"):
		return "", errors.New("store/sqlite: :memory: is no file; package store/memory keeps records in memory")
	case strings.HasPrefix(path, "file:"):
		return "", errors.New("store/sqlite: the path begins with file: as a URI does; give a plain path")
	case strings.ContainsRune(path, 0):
		return "", errors.New("store/sqlite: the path has a NUL in it")
	case os.IsPathSeparator(path[len(path)-1]):
		return "", fmt.Errorf("store/sqlite: %s names a directory; give the path of a file", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("store/sqlite: %w", err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("store/sqlite: the directory of %s does not exist; create it first: %w", path, err)
	}
	if err != nil {
		return "", fmt.Errorf("store/sqlite: cannot use the directory of %s: %w", path, err)
	}
	path = filepath.Join(dir, filepath.Base(path))
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return "", fmt.Errorf("store/sqlite: cannot follow the symbolic link: %w", err)
		}
	}
	if len(path) > maxPath {
		return "", fmt.Errorf("store/sqlite: the path has %d bytes; at most %d can be used", len(path), maxPath)
	}
	return path, nil
}

// examine looks at a file without touching it, and refuses what is not ours. It
// returns the header, which is nil when there is no database yet.
func examine(path string) (header []byte, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("store/sqlite: %w", err)
	case info.IsDir():
		return nil, foreign(path, "is a directory")
	case !info.Mode().IsRegular():
		return nil, foreign(path, "is not a regular file")
	case info.Size() == 0:
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("store/sqlite: %w", err)
	}
	defer f.Close()
	header = make([]byte, headerSize)
	if _, err := io.ReadFull(f, header); err == io.ErrUnexpectedEOF {
		return nil, foreign(path, "is no SQLite database")
	} else if err != nil {
		return nil, unavailable(err)
	}
	if string(header[:len(headerMagic)]) != headerMagic {
		return nil, foreign(path, "is no SQLite database")
	}
	if binary.BigEndian.Uint32(header[headerID:]) != applicationID {
		return nil, foreign(path, "is an SQLite database of another program")
	}
	return header, nil
}

func foreign(path, what string) error {
	return fmt.Errorf("store/sqlite: %w: %s %s; it was left as it is", store.ErrForeign, path, what)
}

// acquire takes the lock of a database. The operating system gives it back when
// the process ends, however it ends; the file stays, for to remove it is to
// let others in.
func acquire(path string) (*flock.Flock, error) {
	lock := flock.New(path+lockSuffix, flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("store/sqlite: cannot lock the database, for which its directory must be writable: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("store/sqlite: %w: another process, or another Store of this one, has %s open", store.ErrInUse, path)
	}
	return lock, nil
}

// ensure makes a new database where there is none, and the files that SQLite
// would make with the mode that the umask happens to give.
func ensure(path, vfs string) error {
	header, err := examine(path) // again: nobody else changes it now
	switch {
	case err != nil:
		return err
	case header == nil:
		err = create(path, vfs)
	case header[headerMode] != 2: // another program has changed it
		if err = initialize(path, vfs); err != nil {
			err = openError(path, err)
		}
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return unavailable(err)
	}
	for _, suffix := range []string{logSuffix, indexSuffix} {
		f, err := os.OpenFile(path+suffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("store/sqlite: %w", err)
		}
		f.Close()
	}
	return nil
}

// create makes a database without tables. It comes to its path whole, so that
// what a crash leaves there is a database of ours or none.
func create(path, vfs string) (err error) {
	for _, suffix := range []string{logSuffix, undoSuffix} {
		if info, err := os.Stat(path + suffix); err == nil && info.Size() > 0 {
			return fmt.Errorf("store/sqlite: there is no database at %s, but %s is there, which holds the last changes of one: "+
				"put the database back, or move that file away to begin a new one", path, path+suffix)
		}
	}
	temp := path + newSuffix
	defer func() {
		if err != nil {
			err = fmt.Errorf("store/sqlite: cannot create the database: %w", errors.Join(err, discard(temp)))
		}
	}()
	if err := discard(temp); err != nil {
		return err
	}
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err := initialize(temp, vfs); err != nil {
		return unavailable(err)
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// initialize writes what the first page of our databases says, and flushes it.
func initialize(path, vfs string) error {
	c, err := openConn(path, vfs, sqlite3.OPEN_READWRITE)
	if err != nil {
		return err
	}
	err = c.Exec(fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA journal_mode = WAL`, applicationID))
	if err == nil {
		_, err = c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false) // nor leave a log
	}
	return errors.Join(err, c.close())
}

// discard removes an unfinished database.
func discard(path string) error {
	for _, suffix := range []string{"", logSuffix, indexSuffix, undoSuffix} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncDir makes the names of a directory last.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // which has no such thing
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openError is an error of SQLite's while it opens a database.
func openError(path string, err error) error {
	if errors.Is(err, sqlite3.NOTADB) {
		return foreign(path, "is no SQLite database that can be read")
	}
	return unavailable(fmt.Errorf("cannot open %s: %w", path, err))
}
