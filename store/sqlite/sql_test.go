package sqlite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statements are all that a store runs but for pragmas and the transactions'
// own. That it is all, TestStatements sees.
var statements = map[string]string{
	"sqlCreateSpace": sqlCreateSpace, "sqlUpdateSpace": sqlUpdateSpace,
	"sqlCreateCredential": sqlCreateCredential, "sqlUpdateCredential": sqlUpdateCredential,
	"sqlUseCredential": sqlUseCredential, "sqlClaimStep": sqlClaimStep, "sqlTouchCredential": sqlTouchCredential,
	"sqlRevokeSubject": sqlRevokeSubject, "sqlRequireUnrevoked": sqlRequireUnrevoked, "sqlRequireLive": sqlRequireLive,
	"sqlRequireLiveRedeemed": sqlRequireLiveRedeemed,
	"sqlRequireNone":         sqlRequireNone, "sqlRequireNoneRedeemed": sqlRequireNoneRedeemed,
	"sqlDeleteVersions": sqlDeleteVersions, "sqlDeleteCredential": sqlDeleteCredential,
	"sqlCreateVersion": sqlCreateVersion, "sqlEndVersion": sqlEndVersion,
	"sqlUseVersion": sqlUseVersion, "sqlUseAddress": sqlUseAddress, "sqlAddAddress": sqlAddAddress,
	"sqlTrimAddresses": sqlTrimAddresses, "sqlUses": sqlUses,
	"sqlCreateSetting": sqlCreateSetting, "sqlAppendEvent": sqlAppendEvent,
	"sqlFirstHead": sqlFirstHead, "sqlNextHead": sqlNextHead, "sqlSealEvent": sqlSealEvent,
	"sqlUnsealed": sqlUnsealed, "sqlHead": sqlHead, "sqlLastEvent": sqlLastEvent, "sqlEventsAfter": sqlEventsAfter,
	"sqlRaiseMark": sqlRaiseMark, "sqlSetMark": sqlSetMark, "sqlMark": sqlMark,
	"sqlCreateReplay": sqlCreateReplay, "sqlDeleteReplays": sqlDeleteReplays, "sqlReplay": sqlReplay,
	"sqlCreateBudget": sqlCreateBudget, "sqlUpdateBudget": sqlUpdateBudget, "sqlClearBudget": sqlClearBudget,
	"sqlDeleteBudgets": sqlDeleteBudgets, "sqlBudget": sqlBudget,
	"sqlSpace": sqlSpace, "sqlSpaces": sqlSpaces, "sqlVersion": sqlVersion, "sqlVersions": sqlVersions,
	"sqlCredential": sqlCredential,
	"sqlOfSpace":    sqlOfSpace, "sqlOfKind": sqlOfKind, "sqlOfSubject": sqlOfSubject,
	"sqlOfSubjectAndKind": sqlOfSubjectAndKind, "sqlOfPurpose": sqlOfPurpose,
	"sqlLiveRedeemed": sqlLiveRedeemed, "sqlEvents": sqlEvents, "sqlNewestEvents": sqlNewestEvents,
	"sqlEventsOf": sqlEventsOf, "sqlNewestEventsOf": sqlNewestEventsOf, "sqlSetting": sqlSetting,
}

// parts are constants of SQL that are no statement by themselves.
var parts = []string{"sqlItem", "sqlSameLive", "sqlNotRevoked", "sqlIsRevoked", "sqlEpochOfLive", "sqlEpochOfList",
	"sqlOrderCredentials", "sqlBegin", "sqlCommit", "sqlUndo", "sqlSave", "sqlRelease", "sqlRollback"}

// goFiles parses the package without its tests.
func goFiles(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func TestStatements(t *testing.T) {
	var got []string
	for _, f := range goFiles(t) {
		for name, o := range f.Scope.Objects {
			if o.Kind == ast.Con && strings.HasPrefix(name, "sql") {
				got = append(got, name)
			}
		}
	}
	want := append(slices.Collect(maps.Keys(statements)), parts...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("constants of SQL (-want +got):\n%s", diff)
	}
}

// planOf returns how SQLite would run a statement, a line for each step.
func planOf(t *testing.T, c *conn, sql string) (plan []string) {
	t.Helper()
	err := c.query(`EXPLAIN QUERY PLAN `+sql, nil, func(r *row) error {
		r.column = 3
		plan = append(plan, r.text())
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return plan
}

var slow = regexp.MustCompile(`^SCAN (?:TABLE )?[a-z]|TEMP B-TREE|AUTOMATIC|MULTI-INDEX`)

// small are steps of plans that are slow of themselves, but on few rows: the
// scopes of one credential, the addresses of one version, the one mark, and the
// last event, at the end of its table.
var small = []string{
	"SCAN json_each VIRTUAL TABLE INDEX 1:",
	"sqlUses: USE TEMP B-TREE FOR ORDER BY", "sqlTrimAddresses: USE TEMP B-TREE FOR ORDER BY",
	"sqlLastEvent: SCAN events", "sqlMark: SCAN mark", "sqlRaiseMark: SCAN mark", "sqlSetMark: SCAN mark",
}

// TestPlans looks at the plan of each statement: nothing scans a table or an
// index, sorts, or builds an index of its own.
func TestPlans(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	for name, sql := range statements {
		plan := planOf(t, s.writer, sql)
		for _, step := range plan {
			if slow.MatchString(step) && !slices.Contains(small, step) && !slices.Contains(small, name+": "+step) {
				t.Errorf("%s: %s\n%s", name, step, strings.Join(plan, "\n"))
			}
		}
	}
	for name, first := range map[string]string{
		"sqlSpace":            "SEARCH spaces USING INDEX sqlite_autoindex_spaces_2 (name=?)",
		"sqlSpaces":           "SEARCH spaces USING INDEX sqlite_autoindex_spaces_2 (name>?)",
		"sqlVersion":          "SEARCH v USING PRIMARY KEY (id=?)",
		"sqlOfSpace":          "SEARCH c USING INDEX credentials_of_space (space=? AND (created,id)<(?,?))",
		"sqlOfKind":           "SEARCH c USING INDEX credentials_of_kind (space=? AND kind=? AND (created,id)<(?,?))",
		"sqlOfSubject":        "SEARCH c USING INDEX credentials_of_subject (space=? AND subject=? AND (created,id)<(?,?))",
		"sqlOfSubjectAndKind": "SEARCH c USING INDEX credentials_of_subject (space=? AND subject=? AND (created,id)<(?,?))",
		"sqlRequireLive":      "SEARCH credentials USING INDEX credentials_of_subject (space=? AND subject=?)",
		"sqlVersions":         "SEARCH c USING INDEX sqlite_autoindex_credentials_1 (id=?)",
		"sqlEvents":           "SEARCH events USING INDEX events_of_space (space=? AND rowid>?)",
		"sqlNewestEvents":     "SEARCH events USING INDEX events_of_space (space=? AND rowid<?)",
		"sqlEventsOf":         "SEARCH events USING INDEX events_of_credential (credential=? AND rowid>?)",
		"sqlNewestEventsOf":   "SEARCH events USING INDEX events_of_credential (credential=? AND rowid<?)",
		"sqlEventsAfter":      "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)",
		"sqlUnsealed":         "SEARCH events USING INDEX events_unsealed (seq=?)",
		"sqlSealEvent":        "SEARCH events USING INTEGER PRIMARY KEY (rowid=?)",
		"sqlUseCredential":    "SEARCH credentials USING INDEX sqlite_autoindex_credentials_1 (id=?)",
		"sqlDeleteVersions":   "SEARCH versions USING INDEX sqlite_autoindex_versions_2 (credential=?)",
		"sqlClaimStep":        "SEARCH credentials USING INDEX sqlite_autoindex_credentials_1 (id=?)",
		"sqlTouchCredential":  "SEARCH credentials USING INDEX sqlite_autoindex_credentials_1 (id=?)",
		"sqlUpdateBudget":     "SEARCH budgets USING PRIMARY KEY (space=? AND name=?)",
		"sqlDeleteBudgets":    "SEARCH budgets USING INDEX budgets_by_end (expires<?)",
		"sqlDeleteReplays":    "SEARCH replays USING INDEX replays_by_end (expires<?)",
		"sqlTrimAddresses":    "SEARCH uses USING PRIMARY KEY (version=?)",
		"sqlOfPurpose": "SEARCH c USING INDEX credentials_of_purpose " +
			"(space=? AND subject=? AND kind=? AND purpose=? AND (created,id)<(?,?))",
		"sqlRequireLiveRedeemed": "SEARCH credentials USING INDEX credentials_live (space=? AND subject=? AND kind=? AND epoch=?)",
		"sqlLiveRedeemed": "SEARCH c USING INDEX credentials_live " +
			"(space=? AND subject=? AND kind=? AND epoch=? AND (created,id)<(?,?))",
	} {
		if plan := planOf(t, s.writer, statements[name]); plan[0] != first {
			t.Errorf("%s begins with\n%s; want\n%s", name, plan[0], first)
		}
	}
	// What is asked about the revocations of a subject, by whichever statement, begins
	// where the answer is.
	const (
		ofSubject   = "SEARCH revocations USING PRIMARY KEY (space=? AND kind=? AND subject=?)"
		sinceTime   = "SEARCH revocations USING COVERING INDEX revocations_by_time (space=? AND kind=? AND subject=? AND at>?)"
		ofOne       = "SEARCH r USING PRIMARY KEY (space=? AND kind=? AND subject=? AND number=?)"
		ofOneJoined = ofOne + " LEFT-JOIN"
	)
	for name, want := range map[string]string{
		"sqlRevokeSubject": ofSubject, "sqlCreateCredential": ofSubject, "sqlRequireNone": ofSubject,
		"sqlRequireLive": ofSubject, "sqlRequireLiveRedeemed": ofSubject, "sqlRequireNoneRedeemed": ofSubject,
		"sqlLiveRedeemed": ofSubject, "sqlRequireUnrevoked": sinceTime,
		"sqlUpdateCredential": ofOne, "sqlUseCredential": ofOne, "sqlClaimStep": ofOne, "sqlTouchCredential": ofOne,
		"sqlVersion": ofOneJoined, "sqlCredential": ofOneJoined, "sqlOfSpace": ofOneJoined, "sqlOfKind": ofOneJoined,
		"sqlOfSubject": ofOneJoined, "sqlOfSubjectAndKind": ofOneJoined, "sqlOfPurpose": ofOneJoined,
	} {
		if plan := planOf(t, s.writer, statements[name]); !slices.Contains(plan, want) {
			t.Errorf("%s lacks\n%s\n%s", name, want, strings.Join(plan, "\n"))
		}
	}
	// That the test can fail.
	for _, sql := range []string{
		`SELECT * FROM events WHERE subject = ?1`,
		`SELECT id FROM credentials WHERE space = ?1 ORDER BY name`,
		`SELECT 1 FROM spaces WHERE id = ?1 OR name = ?1`,
		`SELECT id FROM spaces`,
	} {
		if plan := planOf(t, s.writer, sql); !slices.ContainsFunc(plan, slow.MatchString) {
			t.Errorf("%s passes for fast:\n%s", sql, strings.Join(plan, "\n"))
		}
	}
}

// replacing is SQL that may write a row in the place of one that is there, or
// pass over that it is.
var replacing = regexp.MustCompile(`(?i)\bREPLACE\b|\bON\s+CONFLICT\b|\bOR\s+(IGNORE|REPLACE|FAIL|ROLLBACK)\b|\bUPSERT\b`)

func TestNothingIsReplaced(t *testing.T) {
	var texts []string
	for _, f := range goFiles(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
			return true
		})
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "INSERT INTO credentials") }) {
		t.Error("the SQL is not among the texts")
	}
	for _, text := range texts {
		if replacing.MatchString(text) {
			t.Errorf("this replaces rows:\n%s", text)
		}
	}
	if !replacing.MatchString("INSERT OR\n REPLACE INTO a") || !replacing.MatchString("insert into a on conflict do nothing") {
		t.Error("the test cannot fail")
	}
}

// TestSchema sees that the database itself holds what it should.
func TestSchema(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "keyfob.db"))
	tables := map[string]bool{}
	err := s.writer.query(`SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'`, nil,
		func(r *row) error {
			name := r.text()
			tables[name] = r.integer() == 1
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		"budgets": true, "credentials": true, "events": true, "heads": true, "mark": true, "replays": true,
		"revocations": true, "settings": true,
		"spaces": true, "uses": true, "versions": true, versionTable: false,
	}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Errorf("tables, and whether they are strict (-want +got):\n%s", diff)
	}
	item := mustIssue(t, s, 1)[0]
	for _, sql := range []string{
		`UPDATE credentials SET state = 'gone'`,
		`UPDATE credentials SET kind = 'password'`,
		`UPDATE credentials SET created = 'yesterday'`,
		`UPDATE credentials SET subject = NULL`,
		`DELETE FROM credentials`,
		`UPDATE versions SET credential = 99`,
		`UPDATE versions SET digest = 'text'`,
		`INSERT INTO versions SELECT 'another', credential, space, number, prefix, digest, root_key, created, ends,
			first_used, last_used, sealed FROM versions`,
		`INSERT INTO uses VALUES ('of no version', 'a', 1, 1)`,
		`INSERT INTO uses SELECT id, column1, 1, 1 FROM versions, (VALUES ('same'), ('same'))`,
		`INSERT INTO heads VALUES ('a', 0, x'00')`,
		`INSERT INTO mark VALUES (2, 1)`,
		`INSERT INTO mark VALUES (1, 1)`,
		`INSERT INTO replays VALUES ('a', 'same', x'', x'', 1), ('a', 'same', x'', x'', 2)`,
		`INSERT INTO budgets VALUES ('a', 'same', 1, 1, 1, 1, NULL, 1), ('a', 'same', 2, 2, 2, 2, NULL, 1)`,
		`INSERT INTO budgets VALUES ('a', 'b', 1, NULL, 1, 1, NULL, 1)`,
		`UPDATE credentials SET uses = 'many'`,
		`UPDATE credentials SET next_step = NULL`,
		`UPDATE credentials SET idle = NULL`,
		`UPDATE credentials SET seen = 'yesterday'`,
		`UPDATE credentials SET epoch = NULL`,
		`INSERT INTO revocations VALUES ('a', 'session', 'same', 1, 1, ''), ('a', 'session', 'same', 1, 2, '')`,
		`INSERT INTO revocations VALUES ('a', 'session', 'b', 1, NULL, '')`,
		`UPDATE versions SET sealed = 'text'`,
		`INSERT INTO spaces VALUES ('a', 'same', '', 1, 0), ('b', 'same', '', 1, 0)`,
	} {
		if err := s.writer.Exec(sql); err == nil || !isRefusal(err) {
			t.Errorf("%s: %v; want that it is refused", sql, err)
		}
	}
	if got, err := s.Credential(background, someSpace, item.Credential.ID); err != nil || !cmp.Equal(got, item) {
		t.Errorf("%v, %v; want %v", got, err, item)
	}
}

// TestNumbersNeverComeBack removes events, as a later version may, and appends
// others.
func TestNumbersNeverComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyfob.db")
	s := mustOpen(t, path)
	mustIssue(t, s, 5)
	s.Close()
	mustExec(t, path, `DELETE FROM events`)
	s = mustOpen(t, path)
	mustIssue(t, s, 1)
	got, err := s.writer.value(`SELECT min(number) FROM events`)
	if err != nil || got != "6" {
		t.Errorf("number %s, %v; want 6", got, err)
	}
}
