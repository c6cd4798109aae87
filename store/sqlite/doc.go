// Package sqlite is a store in one file on the local disk. It needs no server
// and no C: SQLite is compiled in.
//
//	st, err := sqlite.Open("/var/lib/myapp/keyfob.db")
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	a, err := keyfob.Open(ctx, keyfob.Config{Store: st, RootKey: rk})
//
// # What it promises
//
// When Apply returns nil, the change has been flushed: it survives the death of
// the process, and the loss of power where the storage keeps what it has
// confirmed by fsync (on macOS, F_FULLFSYNC). That is so on a local disk with a
// usual file system. It is not so where a controller or a virtual machine lies
// about flushes, nor in a directory in memory (tmpfs).
//
// When something fails that leaves it open what is on the disk, such as a flush,
// a full disk, or a damaged file, the store does not guess. From then on each
// method answers [store.ErrUnavailable] with the first cause, [Store.Failed] is
// closed, and what can be done is to close the store and to open it again, best
// by ending the program. What was acknowledged is there then; a change that was
// answered with ErrUnavailable is there wholly or not at all.
//
// # One process
//
// One Store has a database, however many names its file has through symbolic
// links; a second [Open], of this process or another, returns
// [store.ErrInUse] at once. The operating system gives the lock back when the
// process ends, also by kill -9. Do not remove the lock file while the database
// is in use, and do not give the database a second name by a hard link.
//
// Network file systems (NFS, SMB) are not supported: their locks and flushes do
// not hold what is promised above.
//
// # Files
//
// Beside the database keyfob.db there are
//
//	keyfob.db-wal   the changes that are not in the database file yet: a part of the database
//	keyfob.db-shm   an index of them; worth nothing by itself
//	keyfob.db.lock  the lock; empty, and stays when the store is closed
//
// and for a moment, while a new database is made, keyfob.db.new with the like. A
// new database has mode 0600; the two files of the log get the mode of the
// database, whatever the umask.
//
// Close copies the log into the database file and removes -wal and -shm. After a
// crash they stay, and the next Open takes up what is in them.
//
// # Backups
//
// Close the store, then copy the database file. While it is open, or after a
// crash, the file alone is not the database, and copying the files one after the
// other gives a copy that may be damaged. When a database is put back, the -wal
// and -shm of the one before must be gone: SQLite would apply them to it.
//
// # Versions
//
// Open brings an older database to the newest schema, each step in a
// transaction. It refuses one of a newer schema with [store.ErrNewerSchema], and
// files that are not keyfob's with [store.ErrForeign]; those stay as they are to
// the byte.
//
// # What it costs
//
// Changes that wait at the same time share a transaction and its flush, so that
// many callers together are faster than one. Reads do not wait for writes, nor
// these for reads. Each of the connections that read, as many as GOMAXPROCS and
// from 4 to 32, and the one that writes keep up to 8 MB of the database in
// memory, and what a transaction changes stays in memory until it commits. The log
// grows by steps of 256 KiB, to about 16 MiB before it is copied into the database
// file, and to 64 MiB and a little more when reads never pause.
package sqlite
