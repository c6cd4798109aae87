package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"rsc.io/qr"
)

// quiet is the width of the white border that readers of QR codes want, in modules.
const quiet = 4

// drawQR draws a QR code with half blocks, two modules a character. For a terminal
// it sets the colours, so that black is dark whatever the terminal's are; without
// them the white modules are drawn, which is right on a dark background.
func drawQR(code *qr.Code, colours bool) string {
	blocks := [...]string{" ", "▄", "▀", "█"} // the lower half, the upper, both
	before, after := "", "\n"
	if colours {
		before, after = "\x1b[97;40m", "\x1b[0m\n" // bright white on black
	}
	white := func(x, y int) int {
		if y < code.Size+quiet && !code.Black(x, y) { // outside of the code nothing is black
			return 1
		}
		return 0
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString(before)
		for x := -quiet; x < code.Size+quiet; x++ {
			b.WriteString(blocks[2*white(x, y)+white(x, y+1)])
		}
		b.WriteString(after)
	}
	return b.String()
}

// writeNew writes a file that only its owner can read, and that was not there.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return wrong("--png names a file that is there already, and it is not overwritten; name another")
	}
	if err != nil {
		return wrong("--png cannot be made: %v; name another file", bare(err))
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return undecided("--png cannot be written: %v", bare(err))
	}
	return nil
}
