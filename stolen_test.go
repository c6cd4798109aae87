package keyfob_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

// A stolen dump signs nobody in: nothing that is in a session's rows is its secret,
// as it is, or as a part of a token.
func TestStolenDump(t *testing.T) {
	d := newAuditedDB(t)
	sessions := []keyfob.Issued{mustIssue(t, d.a, ofAlice), mustIssue(t, d.a, keyfob.Session{})}
	sessions = append(sessions, renew(t, d.a, sessions[0].Credential.ID))
	tried := 0
	for _, column := range dump(t, d) {
		for _, text := range []string{
			column, hex.EncodeToString([]byte(column)), base64.RawURLEncoding.EncodeToString([]byte(column)), lettersOf(column),
		} {
			for _, s := range sessions {
				version := versionOf(s)
				for _, body := range []string{text, "default_" + text, "default_" + version + text, "default_" + version + cutTo(text, 43)} {
					for _, presented := range []string{body, withChecksum(body)} {
						tried++
						if got := session(t, d.a, presented); got != "malformed" && got != "unknown" {
							t.Fatalf("what is in the dump is %q", got)
						}
					}
				}
			}
		}
	}
	for _, s := range sessions {
		secret := secretOf(t, s.Secret)
		for _, column := range dump(t, d) {
			if strings.Contains(column, secret) {
				t.Error("the dump holds a secret")
			}
		}
	}
	if tried < 1000 {
		t.Errorf("%d tried", tried)
	}
	t.Logf("%d texts from the dump were presented", tried)
}

func cutTo(text string, n int) string { return strings.Repeat(text+"0", n)[:n] }

// lettersOf are bytes as text that could be in a token.
func lettersOf(column string) string {
	b := []byte(column)
	for i := range b {
		b[i] = base62[int(b[i])%len(base62)]
	}
	return string(b)
}

// dump is each column of what the database has of credentials and versions.
func dump(t *testing.T, d *auditedDB) (columns []string) {
	t.Helper()
	d.close()
	defer d.open()
	c, err := sqlite3.Open(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, table := range []string{"credentials", "versions"} {
		rows, _, err := c.Prepare("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Step() {
			for i := range rows.ColumnCount() {
				columns = append(columns, rows.ColumnText(i))
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(columns) < 50 {
		t.Fatalf("%d columns", len(columns))
	}
	return columns
}

// What somebody can do to a session who can write to the database, and has neither
// the root key nor a session's secret: end it, and give it another life, or other
// attributes. It cannot be made another's, and no secret can be made for it; and
// the log still tells what was done by a verb. This is what docs/threat-model.md says.
func TestEditedSessions(t *testing.T) {
	const theOne = " WHERE id = '%[1]s'"
	for what, c := range map[string]struct{ sql, want string }{
		"its subject":              {"UPDATE credentials SET subject = 'mallory'" + theOne, "unknown"},
		"its kind":                 {"UPDATE credentials SET kind = 'apikey'" + theOne, "unknown"},
		"its version's digest":     {"UPDATE versions SET digest = zeroblob(32) WHERE id = '%[2]s'", "unknown"},
		"the digest of another":    {"UPDATE versions SET digest = (SELECT digest FROM versions WHERE id = '%[4]s') WHERE id = '%[2]s'", "unknown"},
		"its prefix":               {"UPDATE versions SET prefix = 'acme' WHERE id = '%[2]s'", "unknown"},
		"another's credential":     {"UPDATE versions SET credential = (SELECT serial FROM credentials WHERE id = '%[3]s'), number = 9 WHERE id = '%[2]s'", "unknown"},
		"no use was seen":          {"UPDATE credentials SET seen = NULL" + theOne, "expired"},
		"a use of long ago":        {"UPDATE credentials SET seen = -9000000000000000" + theOne, "expired"},
		"an idle time below 0":     {"UPDATE credentials SET idle = -1000" + theOne, "expired"},
		"revoked by its subject's": {"INSERT INTO revocations SELECT space, kind, subject, 1, 0, '' FROM credentials" + theOne, "revoked"},
		// What the digest does not cover.
		"a use that is to come": {"UPDATE credentials SET seen = 9000000000000" + theOne, "ok"},
		"no idle time":          {"UPDATE credentials SET idle = 0, seen = NULL" + theOne, "ok"},
		"attributes":            {`UPDATE credentials SET attributes = '{"admin":"yes"}'` + theOne, "ok"},
	} {
		t.Run(what, func(t *testing.T) {
			d := newAuditedDB(t)
			mine, theirs := mustIssue(t, d.a, ofAlice), mustIssue(t, d.a, keyfob.Session{Subject: "bob"})
			d.edit(fmt.Sprintf(c.sql+" -- %[1]s%[2]s%[3]s%[4]s", mine.Credential.ID, versionOf(mine), theirs.Credential.ID, versionOf(theirs)))
			wantSession(t, d.a, mine, c.want)
			wantSession(t, d.a, theirs, "ok")
			d.wantFindings(d.report())
		})
	}
	for what, sql := range map[string]string{
		"its state":            "UPDATE credentials SET state = 'active', reason = ''" + theOne,
		"its end":              "UPDATE credentials SET expires = expires + 1000000000, seen = 9000000000000" + theOne,
		"a revocation":         "DELETE FROM revocations",
		"its epoch":            "UPDATE credentials SET epoch = 1" + theOne,
		"its subject's number": "UPDATE revocations SET number = 2",
	} {
		t.Run(what+", of one that has ended", func(t *testing.T) {
			d := newAuditedDB(t)
			s := mustIssue(t, d.a, keyfob.Session{Subject: "alice", Lifetime: time.Second})
			if strings.Contains(what, "its state") {
				if err := d.a.Revoke(t.Context(), s.Credential.ID, ""); err != nil {
					t.Fatal(err)
				}
			} else if !strings.Contains(what, "its end") {
				if err := d.a.RevokeSubject(t.Context(), "alice", "", keyfob.KindSession); err != nil {
					t.Fatal(err)
				}
			}
			kept := d.grow(1)
			d.edit(strings.ReplaceAll(sql, "%[1]s", s.Credential.ID))
			if got := session(t, d.a, s.Secret.Reveal()); got == "unknown" || got == "undecided" {
				t.Errorf("it is %q", got)
			} else {
				t.Logf("with its secret it is %q", got)
			}
			ended := 0
			for _, e := range events(t, d.st, "default") {
				if e.Type == "session.revoked" || e.Type == "session.subject_revoked" {
					ended++
				}
			}
			if ended == 0 && !strings.Contains(what, "its end") {
				t.Error("the log does not tell that it was revoked")
			}
			d.wantFindings(d.report(kept))
			// Without its secret nothing of that is of use.
			other := token.New("default")
			wantSession(t, d.a, keyfob.Issued{Secret: keyfob.NewSecret(withChecksum("default_" + versionOf(s) + other.Secret()))}, "unknown")
		})
	}
}
