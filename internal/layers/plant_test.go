package layers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// plants are files with a breach each, and how it is to be named.
var plants = []struct {
	file, source, want string
}{
	{
		"random/planted.go", "package random\n\nimport _ \"" + Module + "/store\"\n",
		"random imports store: random may import internal/draw and the standard library",
	},
	{
		"session/planted.go", "package session\n\nimport _ \"" + Module + "/store/memory\"\n",
		"session imports store/memory: a door may import the root package and what is below it, no other door, and names no concrete store",
	},
	{
		"otp/planted.go", "package otp\n",
		"", // a package that is not a breach by itself
	},
	{
		"otp/planted_test.go", "package otp_test\n\nimport _ \"" + Module + "/csrf\"\n",
		"a test of otp imports csrf: " + rules[leaf].says + "; its tests too, since what they import is in the go.sum of its users",
	},
	{
		"internal/unheard/planted.go", "package unheard\n",
		"internal/unheard: has no layer; add it to the table in internal/layers/table.go",
	},
}

// TestPlantedFilesAreCaught lays the plants over the checkout and asks for them
// by name.
func TestPlantedFilesAreCaught(t *testing.T) {
	dir := checkout(t)
	before, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Load(dir, "-overlay="+overlay(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	old := Check(before)
	var got []string
	for _, b := range Check(after) {
		if !slices.Contains(old, b) {
			got = append(got, b.String())
		}
	}
	for _, p := range plants {
		if p.want == "" {
			continue
		}
		if i := slices.Index(got, p.want); i >= 0 {
			got = slices.Delete(got, i, i+1)
		} else {
			t.Errorf("%s was not caught; want: %s", p.file, p.want)
		}
	}
	for _, g := range got {
		t.Errorf("a breach that nobody planted: %s", g)
	}
}

// overlay writes the plants outside the checkout and returns the file that has
// go list see them in dir.
func overlay(t *testing.T, dir string) string {
	t.Helper()
	away := t.TempDir()
	replace := map[string]string{}
	for _, p := range plants {
		real := filepath.Join(away, filepath.FromSlash(p.file))
		write(t, real, p.source)
		replace[filepath.Join(dir, filepath.FromSlash(p.file))] = real
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(away, "overlay.json")
	write(t, file, string(text))
	return file
}

// TestPlantedModuleIsCaught does without an overlay: a small module on disk,
// with a file that another system than this one would compile and a program
// that lies beside a package without being part of it.
func TestPlantedModuleIsCaught(t *testing.T) {
	other := "windows"
	if runtime.GOOS == other {
		other = "linux"
	}
	dir := t.TempDir()
	for file, source := range map[string]string{
		"go.mod":                               "module " + Module + "\n\ngo 1.26.0\n",
		"keyfob.go":                            "package keyfob\n\nimport _ \"" + Module + "/store/memory\"\n",
		"store/memory/memory.go":               "package memory\n",
		"store/memory/memory_" + other + ".go": "package memory\n\nimport _ \"" + Module + "/token\"\n",
		"store/memory/generate.go":             "//go:build ignore\n\npackage main\n\nimport _ \"" + Module + "/server\"\n",
		"token/token.go":                       "package token\n",
		"token/token_" + other + "_test.go":    "package token_test\n\nimport _ \"" + Module + "/store\"\n",
		"token/testdata/broken.go":             "package",
	} {
		write(t, filepath.Join(dir, filepath.FromSlash(file)), source)
	}
	g, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range Check(g) {
		b.Why = "no"
		got = append(got, b.String())
	}
	want := []string{"the root package imports store/memory: no", "store/memory imports token: no", "a test of token imports store: no"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
