package sqlite

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// pragmas are set on each connection, whatever it is for.
//
//   - synchronous=FULL: in WAL mode, a commit returns when its log is flushed.
//     Without it, SQLite flushes at checkpoints only, and a power loss takes
//     what was acknowledged since the last one.
//   - fullfsync: on macOS a plain fsync leaves data in the drive's cache.
//   - wal_autocheckpoint=0: SQLite's own checkpoints hide their failures. The
//     writer makes them.
//   - cache_size: at most 8 MB of the database in memory, for each connection.
//   - cache_spill=OFF: what a transaction changed stays in memory until it commits,
//     whatever cache_size says; a logFile counts on that.
//   - temp_store=MEMORY: no row is ever written into a temporary directory, and
//     none is needed.
const pragmas = `
	PRAGMA synchronous = FULL;
	PRAGMA fullfsync = ON;
	PRAGMA checkpoint_fullfsync = ON;
	PRAGMA wal_autocheckpoint = 0;
	PRAGMA foreign_keys = ON;
	PRAGMA trusted_schema = OFF;
	PRAGMA cell_size_check = ON;
	PRAGMA cache_size = -8000;
	PRAGMA cache_spill = OFF;
	PRAGMA temp_store = MEMORY`

// busyTimeout is how long a connection waits for a lock of SQLite's. One process
// has the file, and its connections do not stand in each other's way, so that
// there is nothing to wait for but a program that should not be there.
const busyTimeout = time.Second

// configure makes a new connection one of ours.
func configure(c *sqlite3.Conn) error {
	if err := c.BusyTimeout(busyTimeout); err != nil {
		return err
	}
	// After a failure the log must stay as it is; see Store.shutdown.
	if _, err := c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
		return err
	}
	if _, err := c.Config(sqlite3.DBCONFIG_DEFENSIVE, true); err != nil {
		return err
	}
	return c.Exec(pragmas)
}

// sourceName names a database file to SQLite: the path itself, which is absolute
// and so is never taken for a URI, or with a VFS a URI, escaped.
func sourceName(path, vfs string) string {
	if vfs == "" {
		return path
	}
	slashed := filepath.ToSlash(path)
	if slashed[0] != '/' { // C:/...
		slashed = "/" + slashed
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: url.Values{"vfs": {vfs}}.Encode()}
	return u.String()
}

// A conn is a connection and its statements, each of which it prepares once. It
// is for one goroutine at a time.
type conn struct {
	*sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
}

// openConn opens a file that exists. Flag is OPEN_READWRITE or OPEN_READONLY.
func openConn(path, vfs string, flag sqlite3.OpenFlag) (*conn, error) {
	if vfs != "" {
		flag |= sqlite3.OPEN_URI
	}
	c, err := sqlite3.OpenFlags(sourceName(path, vfs), flag)
	if err != nil {
		return nil, err
	}
	if err := configure(c); err != nil {
		c.Close()
		return nil, err
	}
	return &conn{Conn: c, stmts: map[string]*sqlite3.Stmt{}}, nil
}

// close closes the connection. Statements that are still prepared would keep it
// open.
func (c *conn) close() error {
	for _, stmt := range c.stmts {
		stmt.Close() // repeats the error of its last run, if there was one
	}
	return c.Close()
}

// prepare returns a statement with its parameters bound: string, int, int64 or
// []byte, and nil for NULL.
func (c *conn) prepare(sql string, args ...any) (*sqlite3.Stmt, error) {
	stmt := c.stmts[sql]
	if stmt == nil {
		var err error
		if stmt, _, err = c.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
		c.stmts[sql] = stmt
	}
	for i, arg := range args {
		if err := bind(stmt, i+1, arg); err != nil {
			return nil, err
		}
	}
	return stmt, nil
}

func bind(stmt *sqlite3.Stmt, param int, arg any) error {
	switch arg := arg.(type) {
	case nil:
		return stmt.BindNull(param)
	case string:
		return stmt.BindText(param, arg)
	case int64:
		return stmt.BindInt64(param, arg)
	case int:
		return stmt.BindInt64(param, int64(arg))
	case []byte:
		if len(arg) == 0 { // nil would be NULL
			return stmt.BindZeroBlob(param, 0)
		}
		return stmt.BindBlob(param, arg)
	}
	panic(fmt.Sprintf("store/sqlite: a parameter of type %T", arg))
}

// exec runs a statement that returns no rows.
func (c *conn) exec(sql string, args ...any) error {
	stmt, err := c.prepare(sql, args...)
	if err != nil {
		return err
	}
	return stmt.Exec()
}

// query runs a statement and calls fn with each row.
func (c *conn) query(sql string, args []any, fn func(*row) error) error {
	stmt, err := c.prepare(sql, args...)
	if err != nil {
		return err
	}
	r := row{stmt: stmt}
	for err == nil && stmt.Step() {
		r.column = 0
		err = fn(&r)
	}
	if err == nil {
		err = stmt.Err()
	}
	if reset := stmt.Reset(); err == nil {
		err = reset
	}
	return err
}

// value returns the only row of a statement, which has one column.
func (c *conn) value(sql string) (value string, err error) {
	err = c.query(sql, nil, func(r *row) error {
		value = r.text()
		return nil
	})
	return value, err
}
