package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// formal are methods that other code calls for its users: fmt, errors, encoders.
var formal = strings.Fields("Error Is Unwrap String GoString Format MarshalText UnmarshalText LogValue")

// unshown are entry points that no Example shows, and why.
var unshown = map[string]string{
	"random.Source.Uint64":       "math/rand/v2 calls it",
	"store.State.Final":          "for those who write a store",
	"store/storetest.Run":        "the package comment shows it, in a test",
	"store/storetest.RunDurable": "the same",
	"nonce.Memory.Load":          "a Counter calls it",
	"nonce.Memory.Swap":          "the same",
	"nonce.Counter.Append":       "Next with a buffer",
	"nonce.Counter.Reserved":     "CounterConfig.AtLeast says what it is for",
	"nonce.Key.Reserved":         "KeyConfig.AtLeast says what it is for",
	"nonce.Key.Limit":            "a number, for monitoring",
}

// Every function and method that users call is in an Example, which they find
// beside its documentation: one of its own, or one that calls it. Those of the
// root package have one of their own.
func TestEntryPointsHaveExamples(t *testing.T) {
	dir := checkout(t)
	entries := 0
	for _, rel := range publicPackages(t, dir) {
		p := declared(t, filepath.Join(dir, rel))
		for _, entry := range p.entries {
			if table[rel] == backend && slices.Contains(storeMethods(t, dir), strings.TrimPrefix(entry, "Store.")) {
				continue // which only the Authority calls
			}
			entries++
			at := strings.TrimPrefix(rel+"."+entry, ".")
			_, excused := unshown[at]
			shown := slices.Contains(p.examples, "Example"+strings.ReplaceAll(entry, ".", "_")) || rel != "" && p.calls[last(entry)]
			switch {
			case !shown && !excused:
				t.Errorf("%s: no Example shows %s", name(rel), entry)
			case shown && excused:
				t.Errorf("%s: an Example shows %s; take it out of unshown", name(rel), entry)
			}
			delete(unshown, at)
		}
	}
	for at := range unshown {
		t.Errorf("unshown has %s, and there is no such entry point", at)
	}
	if entries < 100 {
		t.Errorf("%d entry points were found; there are more", entries)
	}
	t.Logf("%d entry points", entries)
}

// publicPackages returns the packages of the table that users import, and that
// are there already.
func publicPackages(t *testing.T, dir string) (paths []string) {
	t.Helper()
	hidden := []layer{tool, testOnly, command, example}
	for _, rel := range slices.Sorted(maps.Keys(table)) {
		if slices.Contains(hidden, table[rel]) || within(rel, []string{"internal"}) {
			continue
		}
		if files, err := filepath.Glob(filepath.Join(dir, rel, "*.go")); err != nil {
			t.Fatal(err)
		} else if len(files) > 0 {
			paths = append(paths, rel)
		}
	}
	return paths
}

// declarations are what a package has to show, and what it shows.
type declarations struct {
	entries  []string // exported functions and methods, as F and T.M
	examples []string // names of its Examples, without their suffixes
	calls    map[string]bool
}

// declared reads the package in dir.
func declared(t *testing.T, dir string) declarations {
	t.Helper()
	d := declarations{calls: map[string]bool{}}
	for _, f := range functions(t, dir) {
		switch {
		case f.test && strings.HasPrefix(f.Name.Name, "Example"):
			d.examples = append(d.examples, withoutSuffix(f.Name.Name))
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					d.calls[s.Sel.Name] = true
				}
				return true
			})
		case !f.test && f.Name.IsExported() && entryPoint(f.FuncDecl) != "":
			d.entries = append(d.entries, entryPoint(f.FuncDecl))
		}
	}
	return d
}

// function is one of a package or, where test is set, of its tests.
type function struct {
	*ast.FuncDecl
	test bool
}

// functions returns those of the package in dir.
func functions(t *testing.T, dir string) (all []function) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it went while others work
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				all = append(all, function{f, strings.HasSuffix(file, "_test.go")})
			}
		}
	}
	return all
}

// storeMethods returns the methods of store.Store but Close, which is the user's.
func storeMethods(t *testing.T, dir string) (names []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "store", "store.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if i, ok := n.(*ast.InterfaceType); ok {
			for _, m := range i.Methods.List {
				if m.Names[0].Name != "Close" {
					names = append(names, m.Names[0].Name)
				}
			}
		}
		return true
	})
	return names
}

// entryPoint is how a function or method is named, or "" when users do not call
// it themselves.
func entryPoint(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	receiver, ok := of.(*ast.Ident)
	if !ok || !receiver.IsExported() || slices.Contains(formal, f.Name.Name) {
		return ""
	}
	return receiver.Name + "." + f.Name.Name
}

// withoutSuffix takes off what tells one Example of a thing from the next: the
// last part, if it begins with a small letter.
func withoutSuffix(example string) string {
	i := strings.LastIndexByte(example, '_')
	if i >= 0 && i+1 < len(example) && 'a' <= example[i+1] && example[i+1] <= 'z' {
		return example[:i]
	}
	return example
}

// last is F of F, and M of T.M.
func last(entry string) string { return entry[strings.LastIndexByte(entry, '.')+1:] }

// A fuzz target has its seeds in its code: with go test alone, those are all that
// it runs on.
func TestFuzzTargetsHaveSeeds(t *testing.T) {
	targets := 0
	for dir := range testDirectories(t, checkout(t)) {
		for _, f := range functions(t, dir) {
			if !f.test || !strings.HasPrefix(f.Name.Name, "Fuzz") || f.Recv != nil {
				continue
			}
			targets++
			seeds := false
			ast.Inspect(f.Body, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				seeds = seeds || ok && s.Sel.Name == "Add"
				return true
			})
			if !seeds {
				t.Errorf("%s in %s has no seeds: call f.Add", f.Name.Name, dir)
			}
		}
	}
	if targets < 20 {
		t.Errorf("%d fuzz targets were found; there are more", targets)
	}
	t.Logf("%d fuzz targets", targets)
}

// testDirectories returns the folders below dir that have tests.
func testDirectories(t *testing.T, dir string) map[string]bool {
	t.Helper()
	dirs := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			dirs[filepath.Dir(path)] = true
		}
		return nil // as in checkout
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
