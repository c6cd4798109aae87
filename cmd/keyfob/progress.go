package main

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress shows on stderr how far a long work is. The zero value, and nil,
// show nothing.
type progress struct {
	bar  *progressbar.ProgressBar
	done int // since the bar was told
}

const (
	progressFrom  = 100_000 // less is done before anybody could read it
	progressEvery = 8192
)

// progress begins to show a work of n steps, where that is long and stderr, but
// not stdout, is a terminal.
func (u *ui) progress(n int, what string) *progress {
	if n < progressFrom || !isTerminal(u.stderr) || u.out.isTerminal() {
		return nil
	}
	return &progress{bar: progressbar.NewOptions(n,
		progressbar.OptionSetWriter(u.stderr),
		progressbar.OptionSetItsString(what),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)}
}

func (p *progress) step() { p.steps(1) }

func (p *progress) steps(n int) {
	if p == nil {
		return
	}
	if p.done += n; p.done >= progressEvery {
		p.bar.Add(p.done)
		p.done = 0
	}
}

func (p *progress) end() {
	if p != nil {
		p.bar.Finish()
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
