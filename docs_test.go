package keyfob_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A snippet is a fenced block of a document.
type snippet struct {
	where    string // document:line
	language string
	text     string
	mark     string // the last HTML comment before it under its heading
}

// snippets reads the fenced blocks of a document.
func snippets(t *testing.T, document string) (all []snippet) {
	t.Helper()
	var mark string
	var open *snippet
	for i, line := range strings.Split(readFile(t, document), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case open != nil && isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case isFence:
			open = &snippet{where: fmt.Sprintf("%s:%d", document, i+1), language: fence, mark: mark}
		case strings.HasPrefix(line, "#"):
			mark = ""
		case strings.HasPrefix(line, "<!-- ") && strings.HasSuffix(line, " -->"):
			mark = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
		}
	}
	if open != nil {
		t.Errorf("%s: the block has no end", open.where)
	}
	return all
}

func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, more...)
}

var testName = regexp.MustCompile(`\b(?:Test|Fuzz|Example)[A-Z]\w*`)

// testFunctions returns the names of all tests, fuzz targets and examples of the module.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)[A-Z]\w*)\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil // a file that went while others work is no failure
		}
		text, _ := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return nil
	})
	if err != nil || len(names) < 100 {
		t.Fatalf("%d tests found, %v", len(names), err)
	}
	return names
}

// What the documents show is run, by the tests that a comment above it names, or
// the comment says why not.
func TestSnippetsAreRun(t *testing.T) {
	known := testFunctions(t)
	run, not := 0, 0
	for _, document := range documents(t) {
		for _, s := range snippets(t, document) {
			if s.language == "" {
				continue // what no program reads
			}
			if reason, ok := strings.CutPrefix(s.mark, "not run: "); ok && reason != "" {
				not++
				continue
			}
			names := testName.FindAllString(s.mark, -1)
			if len(names) == 0 {
				t.Errorf("%s: no test runs this; put above it <!-- TestX runs this. --> or <!-- not run: why -->", s.where)
			}
			for _, name := range names {
				if !known[name] {
					t.Errorf("%s: there is no %s", s.where, name)
				}
			}
			run++
		}
	}
	t.Logf("%d snippets are run, %d say why not", run, not)
}

// Each promise of the threat model is shown by tests that exist, or says with what
// it comes.
func TestThreatModel(t *testing.T) {
	known := testFunctions(t)
	text := readFile(t, "docs/threat-model.md")
	if n := strings.Count(text, "\n"); n > 200 {
		t.Errorf("it has %d lines", n)
	}
	quoted := regexp.MustCompile("`((?:Test|Fuzz|Example)[A-Z]\\w*)`")
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		if !known[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	row := regexp.MustCompile(`(?m)^\| (P\d+) \|.*$`)
	var promises []string
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		promises = append(promises, m[1])
		if !quoted.MatchString(m[0]) && !strings.Contains(m[0], "comes with ") {
			t.Errorf("%s has neither a test nor what it comes with", m[1])
		}
	}
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprintf("P%d", i+1))
	}
	if !slices.Equal(promises, want) {
		t.Errorf("promises %v, want %v", promises, want)
	}
}
