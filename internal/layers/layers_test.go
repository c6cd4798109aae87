package layers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkout returns the root of the module. It walks the tree, so that go test
// knows a file that came, went or changed, and does not repeat an old verdict:
// it would not see what go list reads.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		return nil // a file that went while others work is no failure
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestModuleKeepsTheImportRule(t *testing.T) {
	g, err := Load(checkout(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := g[Module+"/internal/layers"]; !ok {
		t.Fatalf("go list found %d packages, and not this one", len(g))
	}
	for _, b := range Check(g) {
		t.Error(b)
	}
	t.Logf("%d packages keep the import rule", len(g))
}

// TestRulesPointDown holds the rules themselves to the house: a layer imports
// only from layers before it, so no chain of imports leads up again.
func TestRulesPointDown(t *testing.T) {
	for l := tool; l <= example; l++ {
		rule, ok := rules[l]
		if !ok || rule.says == "" {
			t.Errorf("layer %d has no rule", l)
		}
		for _, below := range rule.from {
			if below >= l || below <= testOnly {
				t.Errorf("layer %d may import layer %d, which is not below it", l, below)
			}
		}
	}
	for path, l := range table {
		if _, ok := rules[l]; !ok {
			t.Errorf("%q is on layer %d, which has no rule", path, l)
		}
	}
}

// The public face of the rule, import by import: what may be, what may not.
// A line is "from -> to", and "from +> to" for an import by a test.
var allowed = `
random -> internal/draw
random -> crypto/rand
token -> random
token -> internal/draw
kdf -> golang.org/x/crypto/argon2
passphrase -> github.com/sethvargo/go-diceware/diceware
passhash -> golang.org/x/text/unicode/norm
store -> token
store -> random
store/memory -> store
store/sqlite -> store
store/sqlite -> github.com/ncruces/go-sqlite3
store/storetest -> store
internal/audit -> store
. -> store
. -> token
. -> internal/audit
. -> internal/seal
bearer -> .
session -> .
session -> csrf
link -> .
keyfobtest -> store/memory
keyfobtest -> .
client -> .
client -> internal/oas
server/console -> .
server -> server/console
server -> bearer
server -> client
server -> internal/oas
server -> internal/ratelimit
cmd/keyfob -> server
cmd/keyfob -> store/sqlite
cmd/keyfob -> client
cmd/keyfob -> internal/oas
cmd/keyfob -> password
examples/webapp -> session
examples/webapp -> store/memory
examples/webapp -> keyfobtest

random +> random
random +> internal/needs
token +> internal/needs
store +> store/memory
store/sqlite +> store/storetest
store/sqlite +> store/memory
store/sqlite +> pgregory.net/rapid
. +> store/sqlite
. +> keyfobtest
bearer +> keyfobtest
client +> server
server +> store/sqlite
cmd/keyfob +> internal/needs
`

var refused = `
internal/draw -> random
random -> token
random -> store
random -> golang.org/x/crypto/blake2b
token -> password
token -> store
token -> .
token -> internal/cache
token -> github.com/sethvargo/go-diceware/diceware
token -> golang.org/x/cryptography
kdf -> golang.org/x/text/unicode/norm
passhash -> kdf
passphrase -> token
csrf -> server
store -> .
store -> store/memory
store -> store/storetest
store -> internal/audit
store/sqlite -> token
store/sqlite -> .
store/sqlite -> store/memory
store/sqlite -> internal/cache
store/storetest -> store/memory
store/storetest -> internal/needs
internal/draw -> .
internal/cache -> .
internal/audit -> store/sqlite
internal/seal -> internal/audit
internal/oas -> .
. -> store/memory
. -> store/sqlite
. -> bearer
. -> internal/oas
. -> internal/needs
. -> keyfobtest
bearer -> session
bearer -> store/redis
session -> internal/oas
client -> server
client -> store/sqlite
keyfobtest -> server
server/console -> server
server/console -> internal/oas
server -> store/sqlite
server -> cmd/keyfob
server -> keyfobtest
server -> internal/layers
cmd/keyfob -> keyfobtest
cmd/keyfob -> store/storetest
cmd/keyfob -> internal/needs
cmd/keyfob -> examples/webapp
examples/webapp -> internal/cache
examples/webapp -> cmd/keyfob
scripts/noskip -> random
internal/needs -> random
store/sqlite -> C
random -> internal/unheard
client -> store/unheard

random +> token
random +> pgregory.net/rapid
token +> otp
token +> store
token +> store/memory
token +> keyfobtest
token +> github.com/google/go-cmp/cmp
store +> internal/unheard
server +> cmd/keyfob
server +> C
`

// planted returns the graph of one line of the lists above.
func planted(t *testing.T, line string) Graph {
	t.Helper()
	from, to, test := strings.Cut(line, " +> ")
	if !test {
		var ok bool
		if from, to, ok = strings.Cut(line, " -> "); !ok {
			t.Fatalf("%q has no arrow", line)
		}
	}
	full := func(path string) string {
		if path == "." {
			return Module
		}
		first, _, _ := strings.Cut(path, "/")
		if layerOf(path) != unknown || slices.Contains([]string{"internal", "store"}, first) {
			return Module + "/" + path
		}
		return path
	}
	if test {
		return Graph{full(from): {Tests: []string{full(to)}}}
	}
	return Graph{full(from): {Code: []string{full(to)}}}
}

func TestCheckAllows(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(allowed)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		for _, b := range Check(planted(t, line)) {
			t.Errorf("%s: refused: %v", line, b)
		}
	}
}

func TestCheckCatches(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(refused)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		breaches := Check(planted(t, line))
		if len(breaches) != 1 {
			t.Errorf("%s: %d breaches, want 1", line, len(breaches))
			continue
		}
		arrow := " -> "
		if breaches[0].Test {
			arrow = " +> "
		}
		dot := func(s string) string {
			if s == "" || s == "the root package" {
				return "."
			}
			return s
		}
		if got := dot(breaches[0].From) + arrow + dot(breaches[0].To); got != line {
			t.Errorf("%s: the breach names %s", line, got)
		}
		if hint := "which has no layer"; strings.Contains(breaches[0].To, "unheard") != strings.HasPrefix(breaches[0].Why, hint) {
			t.Errorf("%s: why: %s", line, breaches[0].Why)
		}
	}
}

func TestCheckNamesPackagesWithoutALayer(t *testing.T) {
	g := Graph{
		Module + "/internal/unheard":       {Code: []string{Module}},
		Module + "/password/other":         {},
		"example.com/elsewhere":            {Code: []string{Module + "/store/memory"}},
		Module + "/examples/a/b":           {},
		Module + "/internal/drawn":         {},
		Module + "/cmd/other":              {},
		Module + "/internal/draw/deeper":   {},
		Module + "/store/sqlite/migration": {},
	}
	var got []string
	for _, b := range Check(g) {
		got = append(got, b.String())
	}
	var want []string
	for _, from := range []string{"cmd/other", "internal/draw/deeper", "internal/drawn", "internal/unheard", "password/other", "store/sqlite/migration"} {
		want = append(want, from+": has no layer; add it to the table in internal/layers/table.go")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func ExampleCheck() {
	g := Graph{
		Module + "/random": {Code: []string{"crypto/rand", Module + "/token"}},
		Module + "/token":  {Tests: []string{"pgregory.net/rapid"}},
		Module:             {Code: []string{Module + "/store/sqlite"}},
	}
	for _, b := range Check(g) {
		fmt.Println(b)
	}
	// Output:
	// the root package imports store/sqlite: the root package may import its internal parts, store and what is below it, and names no concrete store
	// random imports token: random may import internal/draw and the standard library
	// a test of token imports pgregory.net/rapid: a leaf may import random, internal/draw, the standard library and golang.org/x/crypto, and no other leaf; its tests too, since what they import is in the go.sum of its users
}
