package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/keyfob-dev/keyfob/store"
)

// migrations are the steps from nothing to the schema that this package knows,
// one file each. A file that has been released never changes.
//
//go:embed migrations/*.sql
var migrations embed.FS

// versionTable is where goose notes which steps have been done.
const versionTable = "schema_version"

// migrate brings a database to the newest schema. It refuses one that is newer,
// before anything is written.
func migrate(c *conn, path, vfs string) error {
	have, err := schemaOf(c)
	if err != nil {
		return openError(path, err)
	}
	newest, err := newestSchema()
	if err != nil {
		return err
	}
	if have > newest {
		return fmt.Errorf("store/sqlite: %w: %s has schema %d and this program knows none above %d; "+
			"run the newer version of it, or restore a backup from before the upgrade", store.ErrNewerSchema, path, have, newest)
	}
	if have == newest {
		return nil
	}
	if err := runMigrations(path, vfs, have < 0, newest); err != nil {
		return openError(path, fmt.Errorf("from schema %d to %d: %w", max(0, have), newest, err))
	}
	return nil
}

// schemaOf returns the number of the last step that was done: 0 for none, and -1
// when the table is not there.
func schemaOf(c *conn) (version int64, err error) {
	tables, err := c.value(`SELECT count(*) FROM sqlite_schema WHERE name = '` + versionTable + `'`)
	if err != nil || tables == "0" {
		return -1, err
	}
	err = c.query(`SELECT max(version_id) FROM `+versionTable, nil, func(r *row) error {
		version = r.integer()
		return nil
	})
	return version, err
}

func newestSchema() (newest int64, err error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, nil
}

// runMigrations takes the steps that have not been taken, up to the one with the
// number to, each in a transaction.
func runMigrations(path, vfs string, first bool, to int64) (err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db, err := driver.Open(sourceName(path, vfs), configure)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if first {
		if err := createVersionTable(db); err != nil {
			return err
		}
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.UpTo(context.Background(), to)
	return err
}

// createVersionTable does what goose would do, which tries three times more when
// it fails, a second apart.
func createVersionTable(db *sql.DB) error {
	ctx := context.Background()
	table, err := database.NewStore(database.DialectSQLite3, versionTable)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = table.CreateVersionTable(ctx, tx)
	if err == nil {
		err = table.Insert(ctx, tx, database.InsertRequest{Version: 0})
	}
	if err != nil {
		tx.Rollback() // if there is anything left to roll back
		return err
	}
	return tx.Commit()
}
