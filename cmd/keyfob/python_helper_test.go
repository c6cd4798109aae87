package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

const helperDocument = "../../docs/python-helper.md"

// helperNames are the functions of the Python helper.
const helperNames = `token token_hex api_key random_password passphrase numeric_otp alphanumeric_otp CsrfToken nonce entropy_bits secure_compare`

// TestPythonHelper runs the Go and the commands of the document, and compares what
// they do with the column "result".
func TestPythonHelper(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(helperDocument)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, name := range strings.Fields(helperNames) {
		if !regexp.MustCompile(`(?m)^\| .?` + name + "[`(]").MatchString(text) {
			t.Errorf("%s has no row", name)
		}
	}
	all := rows(t, text)
	if len(all) < 20 {
		t.Fatalf("only %d rows were found", len(all))
	}
	t.Run("Go", func(t *testing.T) { t.Parallel(); testHelperGo(t, text, all) })
	t.Run("command", func(t *testing.T) { t.Parallel(); testHelperCommands(t, text, all) })
}

func (r row) inHelper() string { return fmt.Sprintf("%s:%d", helperDocument, r.line) }

// does compares what came of a cell with a result: "yes", "no" and "refused" with how
// it ended, and what is in quotes with what it gave.
func (r row) does(ended, gave string) error {
	want := r.cells["result"]
	part, has := strings.CutPrefix(want, "has ")
	code, isCode := quoted(part)
	switch {
	case isCode && ended != "yes":
		return fmt.Errorf("it ends with %s", ended)
	case isCode && has && strings.Contains(gave, code), isCode && !has && regexp.MustCompile("^("+code+")$").MatchString(gave):
		return nil
	case !isCode && want == ended:
		return nil
	}
	return fmt.Errorf("it ends with %s and gives %q; the document says %s", ended, gave, want)
}

// testHelperGo compiles the cells into one program. Of a truth it prints yes or no
// alone, of a panic refused, and of all else yes and the value.
func testHelperGo(t *testing.T, text string, all []row) {
	shown := regexp.MustCompile("(?s)```go\nimport \\((.*?)\n\\)\n\n(var .*?)```").FindStringSubmatch(text)
	if shown == nil {
		t.Fatalf("%s shows no imports and declarations", helperDocument)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package main\n\nimport (\n\t\"fmt\"\n%s\n)\n\n%s", shown[1], shown[2])
	b.WriteString(`
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func run(f func() any) {
	defer func() {
		if recover() != nil {
			fmt.Println("refused ")
		}
	}()
	switch v := f().(type) {
	case bool:
		fmt.Println(map[bool]string{true: "yes ", false: "no "}[v])
	default:
		fmt.Println("yes", v)
	}
}

func main() {
`)
	for _, r := range all {
		fmt.Fprintf(&b, "//line doc:%d\n\trun(func() any { return %s })\n", r.line, r.golang)
	}
	out, err := goCommand(t, "run", b.String()+"}\n")
	if err != nil {
		t.Fatalf("the Go does not run: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%d rows print %d lines:\n%s", len(all), len(lines), out)
	}
	for i, r := range all {
		ended, gave, _ := strings.Cut(lines[i], " ")
		if err := r.does(ended, gave); err != nil {
			t.Errorf("%s: %s: %v", r.inHelper(), r.golang, err)
		}
	}
}

// testHelperCommands types the commands.
func testHelperCommands(t *testing.T, text string, all []row) {
	sh := needs.Binary(t, "sh", "dash")
	shown := regexp.MustCompile("(?s)```sh\n(.*?)```").FindStringSubmatch(text)
	if shown == nil {
		t.Fatalf("%s shows no declarations for the shell", helperDocument)
	}
	for _, r := range all {
		cmd := exec.Command(sh, "-uc", shown[1]+r.shell)
		cmd.Dir, cmd.Env = t.TempDir(), environment("PATH="+filepath.Dir(keyfobBinary(t))+":"+os.Getenv("PATH"))
		got := finish(t, cmd)
		ended := map[int]string{0: "yes", exitNo: "no", exitWrong: "refused"}[got.code]
		err := r.does(ended, strings.TrimSuffix(got.stdout, "\n"))
		if err == nil && (got.stderr != "") != (ended == "refused") {
			err = fmt.Errorf("stderr has %q", got.stderr)
		}
		if err == nil && ended == "refused" && got.stdout != "" {
			err = fmt.Errorf("stdout has %q", got.stdout)
		}
		if err != nil {
			t.Errorf("%s: %s: %v", r.inHelper(), r.shell, err)
		}
	}
}
