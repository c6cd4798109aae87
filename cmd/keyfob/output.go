package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// output is stdout: buffered, and with an error that nobody can overlook.
type output struct {
	file *os.File
	buf  *bufio.Writer

	// spare says that the exit code tells what is written as well.
	spare bool
}

func newOutput(f *os.File) *output {
	return &output{file: f, buf: bufio.NewWriterSize(f, 64<<10)}
}

// Write writes to the buffer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.buf.Write(p)
	return n, notWritten(err)
}

// text writes text as it is.
func (o *output) text(text string) error {
	_, err := o.buf.WriteString(text)
	return notWritten(err)
}

// bytes writes bytes as they are.
func (o *output) bytes(b []byte) error {
	_, err := o.buf.Write(b)
	return notWritten(err)
}

// line writes a line of text.
func (o *output) line(text string) error { return o.text(text + "\n") }

// printf writes text in which values from elsewhere, arguments of type string,
// have lost their control characters.
func (o *output) printf(format string, args ...any) error {
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			args[i] = printable(s)
		}
	}
	_, err := fmt.Fprintf(o.buf, format, args...)
	return notWritten(err)
}

// json writes an object as one line.
func (o *output) json(object any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return undecided("write the answer as JSON: %v", err)
	}
	return o.line(jsonSafe(text))
}

// flush writes out what the buffer holds.
func (o *output) flush() error {
	if o.buf.Buffered() > 0 && !o.spare {
		if err := o.mustBeOpen(); err != nil {
			return err
		}
	}
	return notWritten(o.buf.Flush())
}

func (o *output) isTerminal() bool { return isTerminal(o.file) }

// mustBeOpen refuses a stdout that was closed: what is written would be lost
// without an error.
func (o *output) mustBeOpen() error {
	if wasClosed(o.file) {
		return undecided("stdout is closed, and what would be printed is lost")
	}
	return nil
}

func notWritten(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*os.PathError); ok {
		err = e.Err // its path, /dev/stdout, is said already
	}
	return undecided("cannot write to stdout: %v", err)
}

// printable returns text with each character that drives a terminal, ends a line
// or reorders what is seen written as its code. What servers, files and users
// wrote goes through it on its way to a terminal.
func printable(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isHarmless(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// jsonSafe is printable for JSON text, whose meaning it keeps: such characters
// stand within strings only, and are written there as escapes.
func jsonSafe(text []byte) string {
	if isPlain(string(text)) {
		return string(text)
	}
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case isHarmless(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isHarmless reports whether a terminal shows the character and does nothing
// else with it.
func isHarmless(r rune) bool {
	return r == ' ' || unicode.IsPrint(r)
}
