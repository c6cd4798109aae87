package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/keyfob-dev/keyfob/token"
)

// maxLine is the longest line that is read as a secret, in bytes.
const maxLine = 4096

// secretLine reads the one line of stdin that is a secret. At a terminal it asks
// for it, and does not show what is typed.
func (u *ui) secretLine(what string) (string, error) {
	if !term.IsTerminal(int(u.stdin.Fd())) {
		return readLine(u.stdin, "stdin", strings.ToLower(what))
	}
	fmt.Fprintf(u.stderr, "%s: ", what)
	done := u.restoreOnSignal()
	text, err := term.ReadPassword(int(u.stdin.Fd()))
	done()
	fmt.Fprintln(u.stderr)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", undecided("cannot read from the terminal: %v", err)
	}
	return checkLine(text, "stdin", strings.ToLower(what))
}

// restoreOnSignal has a signal that ends the process leave the terminal as it was,
// until done is called: it shows what is typed again.
func (u *ui) restoreOnSignal() (done func()) {
	fd := int(u.stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	signals, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case <-over:
		case <-signals:
			term.Restore(fd, state)
			fmt.Fprintln(u.stderr)
			os.Exit(u.report(undecided("ended by a signal, and nothing was done")))
		}
	}()
	return func() {
		signal.Stop(signals)
		close(over)
	}
}

// readLine reads all of r, which must be one line, and cuts the newline at its
// end, and nothing else.
func readLine(r io.Reader, source, what string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxLine+2))
	if err != nil {
		return "", undecided("cannot read %s: %v", source, err)
	}
	return checkLine(bytes.TrimSuffix(text, []byte("\n")), source, what)
}

func checkLine(text []byte, source, what string) (string, error) {
	switch {
	case len(text) == 0:
		return "", wrong("%s is empty; it has to be the %s, in one line", source, what)
	case bytes.ContainsRune(text, '\n'):
		return "", wrong("%s has more than one line; it has to be the %s alone", source, what)
	case len(text) > maxLine:
		return "", wrong("%s has over %d bytes; that is no %s", source, maxLine, what)
	}
	return string(text), nil
}

// checkSpace checks a space's name before it becomes part of a URL.
func checkSpace(what, name string) error {
	if name == "" || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return wrong("%s is not a space's name: 1 to 63 of a-z, 0-9 and -", what)
	}
	return nil
}

// checkID checks an id before it becomes part of a URL. What is none may be a
// token, and is not repeated.
func checkID(cmd *cobra.Command, id string) error {
	if token.CheckID(id) != nil {
		return wrong("that is no id: an id has 16 characters of 0-9, A-Z and a-z; see: %s list", cmd.Parent().CommandPath())
	}
	return nil
}

// shellQuote quotes text for a shell where it needs that.
func shellQuote(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@") == "" && text != "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
