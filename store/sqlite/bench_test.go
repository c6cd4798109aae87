package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// The benchmarks stand in pairs: the store, and beside it the bare driver doing
// the least that could be called the same. What counts is the ratio of a pair in
// one run:
//
//	go test ./store/sqlite -run '^$' -bench . -benchmem -count 5

// bare opens a connection as a program would that uses the driver alone, on a
// table of ids and values, with the same promise about power loss.
func bare(b *testing.B) *sqlite3.Conn {
	b.Helper()
	c, err := sqlite3.Open(filepath.Join(b.TempDir(), "bare.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	err = c.Exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		CREATE TABLE things (id TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID`)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func statement(b *testing.B, c *sqlite3.Conn, sql string) *sqlite3.Stmt {
	b.Helper()
	stmt, _, err := c.Prepare(sql)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stmt.Close() })
	return stmt
}

func insert(b *testing.B, stmt *sqlite3.Stmt, id string) {
	stmt.BindText(1, id)
	stmt.BindBlob(2, []byte(id+id))
	if err := stmt.Exec(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkWriteBare inserts one row in a transaction.
func BenchmarkWriteBare(b *testing.B) {
	stmt := statement(b, bare(b), `INSERT INTO things (id, value) VALUES (?1, ?2)`)
	for b.Loop() {
		insert(b, stmt, newID())
	}
}

// BenchmarkApply issues API keys: a credential, a version and an event. How much
// many callers are faster than one depends on what a flush takes; the second
// half is on a disk where it takes 2 ms more.
func BenchmarkApply(b *testing.B) {
	benchmarkApply(b, 0)
	b.Run("slow", func(b *testing.B) { benchmarkApply(b, 2*time.Millisecond) })
}

func benchmarkApply(b *testing.B, flush time.Duration) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			d := newDisk(b)
			d.flush = flush
			name := d.name
			if flush == 0 {
				name = ""
			}
			s, err := open(filepath.Join(b.TempDir(), "keyfob.db"), name)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close() })
			work := make(chan struct{})
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range work {
						_, change := newIssue()
						if err := s.Apply(background, change); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
		})
	}
}

const rows = 10_000

// BenchmarkLookupBare looks one of 10,000 rows up by its key.
func BenchmarkLookupBare(b *testing.B) {
	c := bare(b)
	if err := c.Exec(`BEGIN`); err != nil {
		b.Fatal(err)
	}
	stmt := statement(b, c, `INSERT INTO things (id, value) VALUES (?1, ?2)`)
	ids := make([]string, rows)
	for i := range ids {
		ids[i] = newID()
		insert(b, stmt, ids[i])
	}
	if err := c.Exec(`COMMIT`); err != nil {
		b.Fatal(err)
	}
	stmt = statement(b, c, `SELECT value FROM things WHERE id = ?1`)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		stmt.BindText(1, ids[i%rows])
		if !stmt.Step() || len(stmt.ColumnBlob(0, nil)) != 32 {
			b.Fatal("not found")
		}
		if err := stmt.Reset(); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
}

// BenchmarkVersion looks one of 10,000 versions up, with its credential.
func BenchmarkVersion(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "keyfob.db"))
	items := mustIssue(b, s, rows)
	b.Run("1caller", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			lookUp(b, s, items[i%rows].Credential.Current)
			i += 7919
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			i := 0
			for pb.Next() {
				lookUp(b, s, items[i%rows].Credential.Current)
				i += 7919
			}
		})
	})
	b.Run("whileWriting", func(b *testing.B) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					mustIssue(b, s, 1)
				}
			}
		})
		i := 0
		for b.Loop() {
			lookUp(b, s, items[i%rows].Credential.Current)
			i += 7919
		}
		close(stop)
		wg.Wait()
	})
	b.Run("unknown", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Version(background, someSpace, "0000000000000000"); err == nil {
				b.Fatal("found")
			}
		}
	})
}

func lookUp(b *testing.B, s *Store, id string) {
	found, err := s.Version(background, someSpace, id)
	if err != nil || found.Version.ID != id {
		b.Error(found, err)
	}
}
