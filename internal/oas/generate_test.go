package oas

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// TestGenerated: the files here are what go generate makes of openapi.yaml now.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		needs.That(t, false, "builds and runs ogen, which -short leaves out")
	}
	dir := t.TempDir()
	fresh := filepath.Join(dir, "oas")
	command := exec.Command(needs.Binary(t, "go", "golang-go"), "tool", "ogen", "--config", "ogen.yml", "--package", "oas", "--target", fresh, "../../server/openapi.yaml")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("ogen: %v\n%s", err, out)
	}
	want, got := generated(t, fresh), generated(t, ".")
	if len(want) < 10 {
		t.Fatalf("ogen made %d files", len(want))
	}
	for name, text := range want {
		if !bytes.Equal(text, got[name]) {
			t.Errorf("%s is not what ogen makes of server/openapi.yaml; run: go generate ./internal/oas", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is left over; run: go generate ./internal/oas", name)
	}
}

// generated are the generated files of a folder.
func generated(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, "_gen.go") {
			if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}
