package layers

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// footprint is what using one package adds to a user's module.
type footprint struct {
	modules []string // whose packages are compiled in, keyfob aside
	sums    []string // of go.sum, without versions: a module's path, and path/go.mod
}

// footprints freezes what using one leaf adds, and nothing else, for the leaves
// that are still to come as well. To see a figure, run
//
//	go test -run TestUsingOneLeaf -v ./internal/layers
var footprints = map[string]footprint{
	"random":   {},
	"token":    {},
	"password": {},
	"otp":      {},
	"csrf":     {},
	"passphrase": {
		modules: []string{"github.com/sethvargo/go-diceware"},
		sums:    []string{"github.com/sethvargo/go-diceware", "github.com/sethvargo/go-diceware/go.mod"},
	},
	"kdf": {
		modules: []string{"golang.org/x/crypto", "golang.org/x/sys"},
		sums:    []string{"golang.org/x/crypto", "golang.org/x/crypto/go.mod", "golang.org/x/sys", "golang.org/x/sys/go.mod"},
	},
	"nonce": {
		modules: []string{"golang.org/x/crypto", "golang.org/x/sys"},
		sums:    []string{"golang.org/x/crypto", "golang.org/x/crypto/go.mod", "golang.org/x/sys", "golang.org/x/sys/go.mod"},
	},
	"passhash": {
		modules: []string{"golang.org/x/crypto", "golang.org/x/sys", "golang.org/x/text"},
		sums: []string{
			"golang.org/x/crypto", "golang.org/x/crypto/go.mod", "golang.org/x/sys", "golang.org/x/sys/go.mod",
			"golang.org/x/text", "golang.org/x/text/go.mod",
		},
	},
}

// TestUsingOneLeafAddsOnlyWhatItNeeds writes a user's module for each leaf, has
// go mod tidy complete it, and looks at what came. A replace stands for the
// published version; that one would add two lines to go.sum, keyfob's own.
func TestUsingOneLeafAddsOnlyWhatItNeeds(t *testing.T) {
	dir := checkout(t)
	g, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for path := range g {
		rel, _ := inModule(path)
		if l := layerOf(rel); l != random && l != leaf {
			continue
		}
		t.Run(rel, func(t *testing.T) {
			user := newUser(t, dir, rel)
			got, own := user.measure(t)
			t.Logf("compiled in: %q; in go.sum: %q", got.modules, got.sums)
			for _, p := range own {
				if !slices.Contains([]string{rel, "random", "internal/draw"}, p) {
					t.Errorf("using %s compiles %s in", rel, name(p))
				}
			}
			want, ok := footprints[rel]
			if !ok {
				t.Fatalf("%s has no row in footprints: add what it needs and nothing else", rel)
			}
			if !slices.Equal(got.modules, want.modules) {
				t.Errorf("using %s compiles in %q, want %q", rel, got.modules, want.modules)
			}
			if !slices.Equal(got.sums, want.sums) {
				t.Errorf("using %s puts %q in go.sum, want %q; a test of it, of random or of internal/draw may have brought them", rel, got.sums, want.sums)
			}
		})
	}
}

// user is a module that imports one package of the keyfob in checkout.
type user struct {
	dir      string
	checkout string
	env      []string // for the go command when it may not use the network
	online   []string // for the go command when it has to
}

func newUser(t *testing.T, checkout, pkg string) user {
	t.Helper()
	u := user{
		dir: t.TempDir(), checkout: checkout,
		env:    []string{"GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off"},
		online: []string{"GOFLAGS=-mod=mod"},
	}
	write(t, filepath.Join(u.dir, "go.mod"), fmt.Sprintf("module example.com/user\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n",
		Module, Module, strconv.Quote(checkout)))
	write(t, filepath.Join(u.dir, "main.go"), fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", Module+"/"+pkg))
	// The checkout's sums are a start that tidy cuts down to what is needed.
	sums, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	write(t, filepath.Join(u.dir, "go.sum"), string(sums))
	return u
}

// measure returns the footprint and the packages of keyfob that are compiled in.
func (u user) measure(t *testing.T) (footprint, []string) {
	t.Helper()
	_, err := goCommand(u.dir, u.env, "mod", "tidy")
	if err != nil && strings.Contains(err.Error(), "GOPROXY=off") {
		_, err = goCommand(u.dir, u.online, "mod", "tidy")
		needs.That(t, err == nil, fmt.Sprintf("needs modules that the module cache lacks, and could not get them: %v", err))
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := goCommand(u.dir, u.env, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{.Module.Path}}{{end}}", ".")
	if err != nil {
		t.Fatal(err)
	}
	var f footprint
	var own []string
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case module == Module:
			rel, _ := inModule(path)
			own = append(own, rel)
		case module != "example.com/user":
			f.modules = append(f.modules, module)
		}
	}
	sums, err := os.ReadFile(filepath.Join(u.dir, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(sums)) {
		fields := strings.Fields(line)
		_, mod, _ := strings.Cut(fields[1], "/")
		f.sums = append(f.sums, strings.TrimSuffix(fields[0]+"/"+mod, "/"))
	}
	slices.Sort(f.modules)
	f.modules = slices.Compact(f.modules)
	slices.Sort(f.sums)
	return f, own
}

// TestFootprintSeesWhatALeafsTestImports is the planted case: a leaf that needs
// nothing, whose test imports another module. Users pay for it in go.sum.
func TestFootprintSeesWhatALeafsTestImports(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module "+Module+"\n\ngo 1.26.0\n\nrequire (\n\texample.com/code v1.0.0\n\texample.com/planted v1.0.0\n\texample.com/unused v1.0.0\n)\n")
	write(t, filepath.Join(dir, "token", "token.go"), "package token\n\nimport _ \"example.com/code\"\n")
	write(t, filepath.Join(dir, "token", "token_test.go"), "package token\n\nimport _ \"example.com/planted\"\n")
	write(t, filepath.Join(dir, "store", "store.go"), "package store\n\nimport _ \"example.com/unused\"\n")

	proxy := t.TempDir()
	for _, module := range []string{"example.com/code", "example.com/planted", "example.com/unused"} {
		publish(t, proxy, module)
	}
	u := newUser(t, dir, "token")
	u.env = []string{
		"GOFLAGS=-mod=mod -modcacherw", "GOMODCACHE=" + t.TempDir(),
		"GOPROXY=file:///" + strings.TrimPrefix(filepath.ToSlash(proxy), "/"), "GOSUMDB=off", "GONOPROXY=", "GOPRIVATE=",
	}
	got, own := u.measure(t)
	want := footprint{
		modules: []string{"example.com/code"},
		sums:    []string{"example.com/code", "example.com/code/go.mod", "example.com/planted", "example.com/planted/go.mod"},
	}
	if !slices.Equal(got.modules, want.modules) || !slices.Equal(got.sums, want.sums) || !slices.Equal(own, []string{"token"}) {
		t.Errorf("measured %+v with %q, want %+v with token", got, own, want)
	}
}

// publish puts version v1.0.0 of an empty module into a proxy made of files.
func publish(t *testing.T, proxy, module string) {
	t.Helper()
	base := filepath.Join(proxy, filepath.FromSlash(module), "@v", "v1.0.0")
	mod := "module " + module + "\n\ngo 1.26.0\n"
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for file, text := range map[string]string{"go.mod": mod, "empty.go": "package empty\n"} {
		w, err := z.Create(module + "@v1.0.0/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, base+".info", `{"Version":"v1.0.0"}`)
	write(t, base+".mod", mod)
	write(t, base+".zip", archive.String())
}
