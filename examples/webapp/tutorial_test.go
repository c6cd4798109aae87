package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/sessions.md shows is this code, to the letter.
func TestTutorialIsThisCode(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "sessions.md"))
	if err != nil {
		t.Fatal(err)
	}
	for language, pattern := range map[string]string{"go": "*.go", "html": "pages/*.html"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		var code strings.Builder
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, "_test.go") {
				code.WriteString("\n" + string(text))
			}
		}
		blocks := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(document), -1)
		if len(blocks) == 0 {
			t.Errorf("it shows no %s", language)
		}
		for _, block := range blocks {
			if !strings.Contains(code.String(), "\n"+block[1]) {
				t.Errorf("this is not in the code:\n%s", block[1])
			}
		}
	}
	// Files and tests that it names are there.
	for _, m := range regexp.MustCompile("`([a-z]+\\.go|pages/[a-z]*)`").FindAllStringSubmatch(string(document), -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Errorf("it names %s: %v", m[1], err)
		}
	}
}
