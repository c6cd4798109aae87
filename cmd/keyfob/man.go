package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "man [COMMAND] [flags]",
		Short: "Print the man page of a command, or write all of them",
		Long: `Print the man page of a command, in the language of man(7): what its help says, in the
form of other programs' pages. Without a command it is keyfob's own. With --dir it
writes the pages of all commands into a directory, over those of an earlier keyfob.`,
		Example: `  keyfob man apikey issue > keyfob-apikey-issue.1
  keyfob man --dir ~/.local/share/man/man1`,
		GroupID: groupMore,
		Args:    cobra.ArbitraryArgs,
	}
	dir := addText(cmd, "dir", "DIR", "", "the directory to write all pages into; it is made if it is not there")
	all := func() *cobra.Command {
		root := newRoot(u)
		root.InitDefaultHelpCmd()
		return root
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return namesBelow(all(), args), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		root := all()
		if *dir != "" && len(args) > 0 {
			return wrong("--dir writes the pages of all commands; leave out the one, or --dir")
		}
		if *dir != "" {
			return writeManPages(*dir, root)
		}
		at, err := findCommand(root, args)
		if err != nil {
			return err
		}
		return u.out.text(manPage(at))
	}
	return cmd
}

// writeManPages writes the page of a command, and of all below it.
func writeManPages(dir string, cmd *cobra.Command) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, manName(cmd)+".1"), []byte(manPage(cmd)), 0o644)
	}
	if err != nil {
		return undecided("--dir cannot be written: %v", err)
	}
	for _, sub := range cmd.Commands() {
		if err := writeManPages(dir, sub); err != nil {
			return err
		}
	}
	return nil
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is the page of a command.
func manPage(cmd *cobra.Command) string {
	var p roff
	p.line(".TH", strings.ToUpper(manName(cmd)), "1", "", "keyfob "+thisBuild().Version, "keyfob")
	p.section("NAME", manName(cmd)+" - "+cmd.Short)
	p.section("SYNOPSIS", cmd.UseLine())
	if cmd.Long != "" {
		p.section("DESCRIPTION", cmd.Long)
	}
	var see []string
	if cmd.HasParent() {
		see = []string{manName(cmd.Parent()) + "(1)"}
	}
	if cmd.HasSubCommands() {
		p.line(".SH", "COMMANDS")
	}
	for _, sub := range cmd.Commands() {
		p.item(sub.Name(), sub.Short)
		see = append(see, manName(sub)+"(1)")
	}
	cmd.InitDefaultHelpFlag()
	p.line(".SH", "OPTIONS")
	cmd.LocalFlags().VisitAll(p.flag)
	if cmd.Example != "" {
		p.section("EXAMPLES", cmd.Example)
	}
	p.section("SEE ALSO", strings.Join(see, ", "))
	return p.String()
}

// roff is text in the language of man(7).
type roff struct{ strings.Builder }

// line writes a request and its arguments.
func (p *roff) line(request string, args ...string) {
	p.WriteString(request)
	for _, arg := range args {
		p.WriteString(` "` + roffText.Replace(arg) + `"`)
	}
	p.WriteByte('\n')
}

// section writes a section, whose lines stay as they are.
func (p *roff) section(title, text string) {
	p.line(".SH", title)
	p.line(".nf")
	p.text(text)
	p.line(".fi")
}

func (p *roff) text(text string) {
	for line := range strings.Lines(text + "\n") {
		if strings.HasPrefix(line, ".") {
			p.WriteString(`\&`) // or it would be a request
		}
		p.WriteString(roffText.Replace(line))
	}
}

// item writes what something is called, and what it is.
func (p *roff) item(name, text string) {
	p.line(".TP")
	p.line(".B", name)
	p.text(text)
}

func (p *roff) flag(f *pflag.Flag) {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	value, usage := pflag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "false" && f.DefValue != "[]" {
		usage += " (default " + f.DefValue + ")"
	}
	p.item(strings.TrimSuffix(name+" "+value, " "), usage)
}

// roffText replaces the characters that roff takes for its own, or prints as others
// than a shell wants.
var roffText = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`)
