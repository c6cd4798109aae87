package layers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// noticeLine is a line of NOTICE about one module: its path, its licence and who
// holds the copyright.
var noticeLine = regexp.MustCompile(`^  ([a-z0-9.]+\.[a-z]+/\S+) +([A-Z][A-Za-z0-9.-]+) +\S`)

// TestNoticeNamesWhatTheCommandLinks holds NOTICE to the modules that the command
// links on the systems it is built for.
func TestNoticeNamesWhatTheCommandLinks(t *testing.T) {
	dir := checkout(t)
	text, err := os.ReadFile(filepath.Join(dir, "NOTICE"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for line := range strings.Lines(string(text)) {
		if m := noticeLine.FindStringSubmatch(line); m != nil {
			named = append(named, m[1])
		}
	}
	if len(named) == 0 || !slices.IsSorted(named) || len(slices.Compact(slices.Clone(named))) != len(named) {
		t.Errorf("NOTICE names %q: want each module once, in order", named)
	}
	if _, err := os.Stat(filepath.Join(dir, "cmd", "keyfob")); err != nil {
		return // no command yet, and nothing that links
	}
	linked := linkedModules(t, dir)
	for _, m := range linked {
		if !slices.Contains(named, m) {
			t.Errorf("the command links %s: add a line to NOTICE, with its licence and copyright", m)
		}
	}
	for _, m := range named {
		if !slices.Contains(linked, m) {
			t.Errorf("the command does not link %s: take its line out of NOTICE", m)
		}
	}
}

// linkedModules returns the modules that the command links on any system, in order.
func linkedModules(t *testing.T, dir string) []string {
	t.Helper()
	var modules []string
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		out, err := goCommand(dir, []string{"GOFLAGS=-mod=readonly", "GOOS=" + system, "GOARCH=amd64", "CGO_ENABLED=0"},
			"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", "./cmd/keyfob")
		needs.That(t, err == nil, fmt.Sprintf("needs all modules that the command links on %s: %v", system, err))
		modules = append(modules, strings.Fields(string(out))...)
	}
	slices.Sort(modules)
	return slices.Compact(modules)
}
