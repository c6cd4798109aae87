package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

const pythonDocument = "../../docs/python-secrets.md"

// pythonNames are what Python 3.11 has in secrets, and in random.SystemRandom.
const pythonNames = `DEFAULT_ENTROPY SystemRandom choice compare_digest randbelow randbits token_bytes token_hex token_urlsafe
	betavariate choices expovariate gammavariate gauss getrandbits getstate lognormvariate normalvariate paretovariate randbytes
	randint random randrange sample seed setstate shuffle triangular uniform vonmisesvariate weibullvariate`

// A row is one of a table of the document.
type row struct {
	line   int
	cells  map[string]string // by the heads of the table, as they stand there
	golang string            // the cell without its quotes, if there is one
	shell  string
}

func (r row) where() string { return fmt.Sprintf("%s:%d", pythonDocument, r.line) }

// rows reads the tables.
func rows(t *testing.T, text string) []row {
	t.Helper()
	var all []row
	var heads []string
	for i, line := range strings.Split(text, "\n") {
		if !strings.HasPrefix(line, "| ") {
			heads = nil
			continue
		}
		// A bar within a cell has a backslash before it.
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "| "), " | | ", " |  | "), " | ")
		switch {
		case heads == nil:
			heads = cells
		case len(cells) != len(heads):
			t.Errorf("%s:%d: %d cells below %d heads", pythonDocument, i+1, len(cells), len(heads))
		case cells[0] != "---":
			r := row{line: i + 1, cells: map[string]string{}}
			for j, cell := range cells {
				r.cells[heads[j]] = strings.ReplaceAll(cell, `\|`, "|")
			}
			r.golang, r.shell = r.code(t, "Go"), r.code(t, "command")
			all = append(all, r)
		}
	}
	return all
}

// code returns what a cell quotes. A cell is empty or quotes one text.
func (r row) code(t *testing.T, head string) string {
	cell := r.cells[head]
	code, ok := quoted(cell)
	if cell != "" && !ok {
		t.Errorf("%s: %q is not code", r.where(), cell)
	}
	return code
}

func quoted(cell string) (string, bool) {
	code, ok := strings.CutPrefix(cell, "`")
	code, ok2 := strings.CutSuffix(code, "`")
	return code, ok && ok2 && code != "" && !strings.Contains(code, "`")
}

// TestPythonDocument runs the Go and the commands of the document, and compares what
// they do with what the document says.
func TestPythonDocument(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(pythonDocument)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, name := range strings.Fields(pythonNames) {
		if !regexp.MustCompile("`" + name + "[`(]").MatchString(text) {
			t.Errorf("%s is not in the document", name)
		}
	}
	all := rows(t, text)
	t.Run("Go", func(t *testing.T) { t.Parallel(); testPythonGo(t, text, all) })
	t.Run("command", func(t *testing.T) { t.Parallel(); testPythonCommands(t, text, all) })
}

// runs is how often a snippet runs, and how many integers and choices are drawn. Of 32
// equally likely outcomes one that is asked for is missing once in 6*10^13.
const runs = 1000

func testPythonGo(t *testing.T, text string, all []row) {
	var good, bad []row
	for _, r := range all {
		switch {
		case r.golang == "":
		case r.cells["here"] == "does not compile":
			bad = append(bad, r)
		default:
			good = append(good, r)
		}
	}
	if len(good) < 75 || len(bad) < 25 {
		t.Fatalf("only %d and %d snippets were found", len(good), len(bad))
	}
	out, err := goCommand(t, "run", program(t, text, good))
	if err != nil {
		t.Fatalf("the snippets do not run: %v\n%s", err, out)
	}
	does := map[int][]string{}
	for line := range strings.Lines(out) {
		var result struct {
			Line int
			Does []string
		}
		unmarshal(t, line, &result)
		does[result.Line] = result.Does
	}
	for _, r := range good {
		got := does[r.line]
		if want, ok := r.cells["here"]; ok {
			if len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s gives %q; the document says %q", r.where(), r.golang, got, want)
			}
		} else if err := is(r.cells["result"], len(got) == runs, got); err != nil {
			t.Errorf("%s: %s gives %v", r.where(), r.golang, err)
		}
	}
	out, err = goCommand(t, "build", program(t, text, bad))
	if err == nil {
		t.Error("what does not compile does")
	}
	for _, r := range bad {
		if !strings.Contains(out, fmt.Sprintf("doc:%d:", r.line)) {
			t.Errorf("%s: %s compiles", r.where(), r.golang)
		}
	}
}

// program is a main that runs every snippet, and prints for each a line of JSON.
// The declarations are those that the document shows.
func program(t *testing.T, text string, all []row) string {
	t.Helper()
	shown := regexp.MustCompile("(?s)```go\nimport (.*?)\n\n(var .*?)```").FindStringSubmatch(text)
	if shown == nil {
		t.Fatalf("%s shows no imports and declarations", pythonDocument)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package main\n\nimport (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"os\"%s\n\n%s\n", shown[1][1:], shown[2])
	b.WriteString(`
func run(line, times int, f func() string) {
	once := func() (does string) {
		defer func() {
			if r := recover(); r != nil {
				does = fmt.Sprintf("panics: ` + "`%v`" + `", r)
			}
		}()
		return f()
	}
	does := make([]string, times)
	for i := range does {
		does[i] = once()
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"line": line, "does": does})
}

func main() {
	_, _, _, _, _, _, _, _ = n, k, low, high, step, x, y, math.Pi
	_ = []any{alpha, beta, lambda, mu, sigma, weights, items, big40, token.MaxBytes, random.MaxSize, r}
`)
	for _, r := range all {
		body := "return fmt.Sprint(" + r.golang + ")"
		if x, err := parser.ParseExpr(r.golang); err != nil {
			t.Errorf("%s: %v", r.where(), err)
		} else if call, ok := x.(*ast.CallExpr); ok && strings.HasPrefix(r.golang, "random.Shuffle(") { // it has no result
			items := r.golang[call.Lparen : len(r.golang)-1]
			body = r.golang + "; return fmt.Sprint(" + items + ")"
		}
		times := 1
		if _, ok := r.cells["result"]; ok {
			times = runs
		}
		fmt.Fprintf(&b, "//line doc:%d\n\trun(%d, %d, func() string { %s })\n", r.line, r.line, times, body)
	}
	b.WriteString("}\n")
	return b.String()
}

// goCommand builds or runs a program within the module, and returns its output, or
// with an error the compiler's.
func goCommand(t *testing.T, verb, source string) (string, error) {
	t.Helper()
	_, err := exec.LookPath("go")
	needs.That(t, err == nil, "needs the go command, to build snippets with")
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

// testPythonCommands types the commands.
func testPythonCommands(t *testing.T, text string, all []row) {
	sh := needs.Binary(t, "sh", "dash")
	shown := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(text)
	if shown == nil {
		t.Fatalf("%s shows no declarations for the shell", pythonDocument)
	}
	env := environment("PATH=" + filepath.Dir(keyfobBinary(t)) + ":" + os.Getenv("PATH"))
	dir := t.TempDir()
	shell := func(line string) result {
		cmd := exec.Command(sh, "-uc", shown[1]+line)
		cmd.Dir, cmd.Env = dir, env
		return finish(t, cmd)
	}
	n := 0
	for _, r := range all {
		if r.shell == "" {
			continue
		}
		n++
		if here, ok := r.cells["here"]; ok {
			want, _ := quoted(here)
			if got := shell(r.shell); got.code != exitWrong || got.stdout != "" || got.stderr != "keyfob: "+want+"\n" {
				t.Errorf("%s: %s: exit code %d, %q, %q", r.where(), r.shell, got.code, got.stdout, got.stderr)
			}
			continue
		}
		line, many := r.shell, false
		if strings.HasPrefix(line, "keyfob int ") || line == "keyfob choice < items" {
			line, many = line+fmt.Sprint(" -n ", runs), true
		}
		got := shell(line)
		outcomes := []string{got.stdout}
		if many {
			outcomes = strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
		}
		code := 0
		if r.cells["result"] == "no" {
			code = exitNo
		}
		if err := is(r.cells["result"], many, outcomes); err != nil || got.code != code || got.stderr != "" {
			t.Errorf("%s: %s: %v; exit code %d, %s", r.where(), r.shell, err, got.code, got.stderr)
		}
	}
	if n < 55 {
		t.Fatalf("only %d commands were found", n)
	}
}
