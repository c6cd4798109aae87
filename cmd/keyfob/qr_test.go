package main

import (
	"bytes"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rsc.io/qr"
)

// modules reads back what drawQR drew: true is black.
func modules(t *testing.T, drawn string) [][]bool {
	t.Helper()
	var rows [][]bool
	for line := range strings.Lines(drawn) {
		line = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[97;40m"), "\n"), "\x1b[0m")
		var upper, lower []bool
		for _, r := range line {
			upper = append(upper, r == ' ' || r == '▄')
			lower = append(lower, r == ' ' || r == '▀')
			if !strings.ContainsRune(" ▄▀█", r) {
				t.Fatalf("drawn with %q", r)
			}
		}
		rows = append(rows, upper, lower)
	}
	return rows
}

// isCode reports whether what is drawn is the QR code of a text, with four white
// modules around it.
func isCode(t *testing.T, text string, size int, black func(x, y int) bool) {
	t.Helper()
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	if size != code.Size+8 {
		t.Fatalf("%d modules wide; want %d", size, code.Size+8)
	}
	for y := range size {
		for x := range size {
			inside := min(x, y) >= 4 && max(x, y) < size-4
			if black(x, y) != (inside && code.Black(x-4, y-4)) {
				t.Fatalf("the module at %d, %d is wrong", x, y)
			}
		}
	}
}

// The QR code that is drawn, and that of the file, are those of the URI.
func TestQRCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "code.png")
	out := must(t, dir, "", "oath", "seed", "--issuer", "Acme", "--account", "alice@example.com", "--qr", "--png", file)
	lines := strings.SplitN(out, "\n", 3)
	rows := modules(t, lines[2])
	isCode(t, lines[1], len(rows[0]), func(x, y int) bool { return rows[y][x] })

	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	const scale = 8 // pixels of a module
	isCode(t, lines[1], picture.Bounds().Dx()/scale, func(x, y int) bool {
		return color.GrayModel.Convert(picture.At(scale*x+scale/2, scale*y+scale/2)).(color.Gray).Y < 128
	})
}
