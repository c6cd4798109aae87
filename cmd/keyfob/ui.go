package main

// The rules of the interface, which every command keeps:
//
//   - Stdout is for what was asked for: secrets, one a line and nothing else in
//     the line; answers (the verdict of verify); records. Notes, questions,
//     progress, errors and logs go to stderr.
//   - Secrets come in through stdin or a file, never as an argument: arguments
//     are seen by every process of the machine. One that looks like a secret is
//     refused, and not repeated. No message and no log holds a secret.
//   - The exit code is the answer: 0 yes or done; 1 no (not valid, not found,
//     refused, conflict); 2 wrong input; 3 could not be decided or delivered
//     (the server or its store is down, too many requests, a timeout, stdout
//     cannot be written).
//   - An error is one line on stderr: what is wrong, and what would be right.
//     With exit code 2 stdout is empty and nothing was done.
//   - With --json stdout has one object a line.
//   - What comes from the server is printed without its control characters.

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/keyfob-dev/keyfob/token"
)

// Exit codes.
const (
	exitNo        = 1
	exitWrong     = 2
	exitUndecided = 3
)

// failure is an error that knows the exit code it leads to.
type failure struct {
	code int
	text string // one line; empty when stdout has said it already
}

func (f *failure) Error() string { return f.text }

// no is the error of a question answered with no.
func no(format string, args ...any) error {
	return &failure{exitNo, fmt.Sprintf(format, args...)}
}

// wrong is the error of wrong input. It says what would be right.
func wrong(format string, args ...any) error {
	return &failure{exitWrong, fmt.Sprintf(format, args...)}
}

// undecided is the error of what could not be decided or delivered.
func undecided(format string, args ...any) error {
	return &failure{exitUndecided, fmt.Sprintf(format, args...)}
}

// ui is where a command reads and writes.
type ui struct {
	stdin  *os.File
	out    *output
	stderr *os.File
}

// run runs the command with its arguments and returns the exit code.
func run(args []string) int {
	// A reader that has gone away is an error like another failed write, so that
	// a command can say which secret was lost with it.
	signal.Ignore(syscall.SIGPIPE)
	u := &ui{stdin: os.Stdin, out: newOutput(os.Stdout), stderr: os.Stderr}
	err := refuseSecrets(args)
	if err == nil {
		root := newRoot(u, args...)
		root.SetArgs(args)
		err = root.Execute()
	}
	if f, ok := errors.AsType[*failure](err); !ok || f.code != exitWrong {
		err = errors.Join(err, u.out.flush())
	}
	return u.report(err)
}

// report prints an error and returns its exit code. Of several errors the first
// is told.
func (u *ui) report(err error) int {
	if err == nil {
		return 0
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{exitUndecided, err.Error()}
	}
	if f.text != "" {
		u.note("keyfob: %s", f.text)
	}
	return f.code
}

// note prints a line to stderr. It holds no secret, and should one have strayed
// into it, the line is printed without.
func (u *ui) note(format string, args ...any) {
	fmt.Fprintln(u.stderr, printable(token.RedactAll(fmt.Sprintf(format, args...))))
}

// refuseSecrets refuses arguments that hold what looks like a keyed token, valid
// or not, or a root key, wherever they stand, before anything can repeat them.
func refuseSecrets(args []string) error {
	for i, arg := range args {
		if strings.Contains(arg, "keyfob-root-") && strings.Contains(arg, ":") {
			return wrong("argument %d looks like a root key, and every process can see arguments; put it into a file and name that with --root-key-file", i+1)
		}
		if token.RedactAll(arg) != arg {
			return wrong("argument %d looks like a token, and every process can see arguments; give it on stdin, and replace it if it is in use: keyfob apikey rotate, or session renew", i+1)
		}
	}
	return nil
}
