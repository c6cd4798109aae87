package token_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const pythonDocument = "../docs/python-secrets.md"

// A snippet is Go in a table of the document, and what the table says of it.
type snippet struct {
	line  int
	code  string
	does  string // "", "does not compile", "panics: …", or the value
	check bool   // does is to be checked
}

// snippets reads the tables: the second column of those with three is Go, and of
// those with four the third, whose result is in the fourth.
func snippets(t *testing.T, text string) []snippet {
	t.Helper()
	var all []snippet
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| `") || len(cells) < 3 {
			continue
		}
		s := snippet{line: i + 1, code: cells[1]}
		if len(cells) == 4 {
			s = snippet{line: i + 1, code: cells[2], does: strings.TrimSuffix(cells[3], " |"), check: true}
		}
		code, ok := strings.CutPrefix(s.code, "`")
		if code, ok2 := strings.CutSuffix(code, "`"); ok && ok2 && !strings.Contains(code, "`") {
			s.code = code
			all = append(all, s)
			continue
		}
		t.Errorf("%s:%d: %s is no snippet of Go", pythonDocument, i+1, s.code)
	}
	return all
}

// program is a main that runs every snippet, and prints for each a line of JSON.
// The declarations are those that the document shows.
func program(t *testing.T, text string, all []snippet) string {
	t.Helper()
	shown := regexp.MustCompile("(?s)```go\nimport (.*?)\n\n(var .*?)```").FindStringSubmatch(text)
	if shown == nil {
		t.Fatalf("%s shows no imports and declarations", pythonDocument)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package main\n\nimport (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"os\"%s\n\n%s\n", shown[1][1:], shown[2])
	b.WriteString(`
func run(line int, f func() string) {
	var does string
	func() {
		defer func() {
			if r := recover(); r != nil {
				does = fmt.Sprintf("panics: ` + "`%v`" + `", r)
			}
		}()
		does = f()
	}()
	json.NewEncoder(os.Stdout).Encode(map[string]any{"line": line, "does": does})
}

func main() {
	_, _, _, _, _, _, _, _ = n, k, low, high, step, x, y, math.Pi
	_ = []any{alpha, beta, lambda, mu, sigma, weights, items, big40, token.MaxBytes, random.MaxSize, r}
`)
	for _, s := range all {
		body := "return fmt.Sprint(" + s.code + ")"
		if x, err := parser.ParseExpr(s.code); err != nil {
			t.Errorf("%s:%d: %v", pythonDocument, s.line, err)
		} else if _, call := x.(*ast.CallExpr); call && strings.HasPrefix(s.code, "random.Shuffle(") {
			body = s.code + "; return \"nothing\"" // it has no result
		}
		fmt.Fprintf(&b, "//line doc:%d\n\trun(%d, func() string { %s })\n", s.line, s.line, body)
	}
	b.WriteString("}\n")
	return b.String()
}

// TestPythonDocument compiles and runs the Go of the document, and compares what it
// does with what the document says.
func TestPythonDocument(t *testing.T) {
	page, err := os.ReadFile(pythonDocument)
	if err != nil {
		t.Fatal(err)
	}
	var good, bad []snippet
	for _, s := range snippets(t, string(page)) {
		if s.does == "does not compile" {
			bad = append(bad, s)
		} else {
			good = append(good, s)
		}
	}
	if len(good) < 60 || len(bad) < 20 {
		t.Fatalf("only %d and %d snippets were found", len(good), len(bad))
	}

	out, err := goCommand(t, "run", program(t, string(page), good))
	if err != nil {
		t.Fatalf("the snippets do not run: %v\n%s", err, out)
	}
	does := map[int]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var result struct {
			Line int
			Does string
		}
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		does[result.Line] = result.Does
	}
	for _, s := range good {
		got, ran := does[s.line]
		if !ran || s.check && got != s.does || !s.check && strings.HasPrefix(got, "panics") {
			t.Errorf("%s:%d: %s gives %q; the document says %q", pythonDocument, s.line, s.code, got, s.does)
		}
	}

	out, err = goCommand(t, "build", program(t, string(page), bad))
	if err == nil {
		t.Error("what does not compile does")
	}
	for _, s := range bad {
		if !strings.Contains(out, fmt.Sprintf("doc:%d:", s.line)) {
			t.Errorf("%s:%d: %s compiles", pythonDocument, s.line, s.code)
		}
	}
}

// goCommand builds or runs a program within the module, and returns its output, or
// with an error the compiler's.
func goCommand(t *testing.T, verb, source string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{verb, "-buildvcs=false", "-gcflags=-e"}
	if verb == "build" {
		args = append(args, "-o", filepath.Join(dir, "program"))
	}
	var stdout, stderr strings.Builder
	cmd := exec.Command("go", append(args, file)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stderr.String(), err
	}
	return stdout.String(), nil
}
