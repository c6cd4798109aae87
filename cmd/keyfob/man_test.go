package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/keyfob-dev/keyfob/internal/needs"
)

// Each man page says what the help of its command says, to the character, and the
// program that reads such pages has nothing to say about it.
func TestManPages(t *testing.T) {
	t.Parallel()
	groff := needs.Binary(t, "groff", "groff-base")
	dir := t.TempDir()
	root := newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin})
	if err := writeManPages(dir, root); err != nil {
		t.Fatal(err)
	}
	var pages []string
	var commands []*cobra.Command
	visit(root, func(cmd *cobra.Command) {
		commands = append(commands, cmd)
		pages = append(pages, filepath.Join(dir, manName(cmd)+".1"))
	})
	// Lines so long that none is broken.
	args := append([]string{"-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=400n", "-rHY=0", "-rcR=0", "-P-cbou"}, pages...)
	read := finish(t, exec.Command(groff, args...))
	if read.code != 0 || read.stderr != "" {
		t.Fatalf("exit code %d, %s", read.code, read.stderr)
	}
	texts := strings.Split(read.stdout, "\nNAME\n")[1:]
	if len(texts) != len(commands) {
		t.Fatalf("%d commands have %d pages", len(commands), len(texts))
	}
	for i, cmd := range commands {
		lines := strings.Split(texts[i], "\n")
		for j := range lines {
			lines[j] = strings.TrimSpace(lines[j])
		}
		want := []string{manName(cmd) + " - " + cmd.Short, cmd.UseLine()}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			want = append(want, strings.TrimSpace(line))
		}
		for _, line := range want {
			if !slices.Contains(lines, line) {
				t.Errorf("the page of %s lacks the line %q", cmd.CommandPath(), line)
			}
		}
		all := strings.Join(strings.Fields(texts[i]), " ")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			value, usage := pflag.UnquoteUsage(f)
			if text := strings.TrimSuffix("--"+f.Name+" "+value, " ") + " " + usage; !strings.Contains(all, text) {
				t.Errorf("the page of %s lacks %q", cmd.CommandPath(), text)
			}
		})
	}
}

// What roff would take for its own is not in a page as it is.
func TestRoff(t *testing.T) {
	var p roff
	p.section("A \"b\"", ".TH\n'x' `y` ^~ a-b \\fB\n\n .c")
	want := `.SH "A \(dqb\(dq"
.nf
\&.TH
\(aqx\(aq \(gay\(ga \(ha\(ti a\-b \efB

 .c
.fi
`
	if got := p.String(); got != want {
		t.Errorf("%s", got)
	}
}
