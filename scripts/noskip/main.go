// Noskip reads the output of go test -json, prints it as plain go test does, and
// fails if a test was skipped. scripts/test uses it where nothing may skip:
//
//	go test -json ./... | go run ./scripts/noskip
//
// A failed test is not its business: go test itself exits with a failure then.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	out := bufio.NewWriter(os.Stdout)
	skipped, err := report(os.Stdin, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		os.Exit(1)
	}
	if len(skipped) > 0 {
		fmt.Fprintf(os.Stderr, "skipped, where nothing may skip: %d\n", len(skipped))
		for _, s := range skipped {
			fmt.Fprintln(os.Stderr, "  "+s)
		}
		os.Exit(1)
	}
}

// event is one line of go test -json; go doc test2json names its fields.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// run is one test of one package, or, with no Test, the package itself.
type run struct{ Package, Test string }

// reporter holds what the runs that have not ended yet have printed.
type reporter struct {
	out     *bufio.Writer
	pending map[run]*strings.Builder
	order   []run
	events  int
	skipped []string
}

// report copies from in what plain go test would print, and returns the tests
// that were skipped.
func report(in io.Reader, out *bufio.Writer) ([]string, error) {
	r := &reporter{out: out, pending: map[run]*strings.Builder{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the events of go test: %w", err)
		}
	}
	if r.events == 0 {
		return nil, errors.New("no events: give it the output of go test -json")
	}
	for _, k := range r.order {
		r.print(k) // go test was cut short
	}
	return r.skipped, nil
}

func (r *reporter) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		r.out.WriteString(line)
		return
	}
	r.events++
	k := run{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.out.WriteString(e.Output)
	case "output":
		r.hold(k, e.Output)
	case "pass":
		r.printVerdict(k)
	case "skip":
		if k.Test == "" {
			r.printVerdict(k) // a package without tests
			break
		}
		r.skipped = append(r.skipped, k.Package+" "+k.Test)
		r.print(k)
	case "fail":
		if k.Test == "" {
			r.printRest(k.Package)
		}
		r.print(k)
	}
	if k.Test == "" {
		r.out.Flush() // a package has ended: show it now
	}
}

func (r *reporter) hold(k run, text string) {
	b, ok := r.pending[k]
	if !ok {
		b = &strings.Builder{}
		r.pending[k] = b
		r.order = append(r.order, k)
	}
	b.WriteString(text)
}

// take returns what k printed, without the marks of its progress.
func (r *reporter) take(k run) []string {
	b, ok := r.pending[k]
	if !ok {
		return nil
	}
	delete(r.pending, k)
	var kept []string
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "=== ") {
			kept = append(kept, line)
		}
	}
	return kept
}

func (r *reporter) print(k run) {
	for _, line := range r.take(k) {
		r.out.WriteString(line)
	}
}

// printVerdict prints the line about a package that passed or has no tests; of a
// test that passed, nothing.
func (r *reporter) printVerdict(k run) {
	for _, line := range r.take(k) {
		if k.Test == "" && (strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t")) {
			r.out.WriteString(line)
		}
	}
}

// printRest prints what the tests of a failed package had printed when a panic
// or a timeout cut them short.
func (r *reporter) printRest(pkg string) {
	for _, k := range r.order {
		if k.Package == pkg && k.Test != "" {
			r.print(k)
		}
	}
}
