package sqlite

import (
	"encoding/binary"

	"github.com/ncruces/go-sqlite3/vfs"
)

const (
	frameHeader = 24        // bytes before each page in the log
	gatherMost  = 256 << 10 // bytes that wait at most
	fillAhead   = 256 << 10 // bytes by which the log grows
)

// zeros are no frame: SQLite's search for the end of a log ends at them.
var zeros [fillAhead]byte

// A logVFS is a file system on which the log is a logFile. All other files are
// those of the file system below.
type logVFS struct{ vfs.VFSFilename }

// withLogFile registers a logVFS above a file system, and returns its name.
func withLogFile(below string) string {
	name := "keyfob-log"
	if below != "" {
		name += "-" + below
	}
	vfs.Register(name, logVFS{vfs.Find(below).(vfs.VFSFilename)})
	return name
}

func (v logVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, got, err := v.VFSFilename.OpenFilename(name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &logFile{File: f}
	}
	return f, got, err
}

// A logFile is the log as the connection that writes has it open. SQLite writes two
// pieces for each page of a commit; they are gathered, and go to the file together
// when the last one is there. So nothing waits when a commit is flushed, nor when
// others are told of it, which comes after that; and since the pages of what is not
// committed stay in memory (cache_spill), there is nothing to be taken back.
//
// The file grows by more than is needed, for it costs as much again to flush one
// that has grown. What lies behind the end of the log is of no use to anybody.
type logFile struct {
	vfs.File
	at      int64 // where in the file what waits begins
	waiting []byte
	last    bool  // the header of a commit's last page is there
	size    int64 // of the file, at the least
}

func (f *logFile) WriteAt(p []byte, at int64) (int, error) {
	if len(f.waiting)+len(p) > gatherMost || at != f.at+int64(len(f.waiting)) {
		if err := f.pass(); err != nil {
			return 0, err
		}
		f.at = at
	}
	f.waiting = append(f.waiting, p...)
	if !f.last {
		// Bytes 4 to 8 of a header are 0 unless its page is the last of a commit.
		f.last = len(p) == frameHeader && binary.BigEndian.Uint32(p[4:]) != 0
		return len(p), nil
	}
	err := f.pass()
	if err == nil {
		err = f.fill()
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// pass writes what waits. When that fails it is lost, and with it the commit.
func (f *logFile) pass() error {
	b := f.waiting
	if len(b) == 0 {
		return nil
	}
	at := f.at
	f.at, f.waiting, f.last = at+int64(len(b)), b[:0], false
	_, err := f.File.WriteAt(b, at)
	return err
}

// fill lets the file go on behind the end of the log, if that is its end.
func (f *logFile) fill() (err error) {
	end := f.at
	if end < f.size {
		return nil
	}
	if f.size, err = f.File.Size(); err != nil || end < f.size {
		return err
	}
	_, err = f.File.WriteAt(zeros[:], end)
	f.size = end + fillAhead
	return err
}

func (f *logFile) ReadAt(p []byte, at int64) (int, error) {
	if err := f.pass(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, at)
}

func (f *logFile) Size() (int64, error) {
	if err := f.pass(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *logFile) Truncate(size int64) error {
	if err := f.pass(); err != nil {
		return err
	}
	f.size = 0
	return f.File.Truncate(size)
}

func (f *logFile) Sync(flags vfs.SyncFlag) error {
	if err := f.pass(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}
