package keyfob_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCreateRootKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "root.key")
	if _, err := keyfob.CreateRootKey(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	before := readFile(t, path)
	if _, err := keyfob.CreateRootKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key at the same path: %v, want fs.ErrExist", err)
	}
	if readFile(t, path) != before {
		t.Error("the first key was replaced")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := keyfob.ReadRootKey(path); err != nil {
		t.Errorf("read back: %v", err)
	}
	if _, err := keyfob.CreateRootKey(filepath.Join(dir, "none", "root.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that is not there: %v", err)
	}
}

func TestReadRootKeyModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := keyfob.CreateRootKey(path); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o440: true, 0o640: true,
		0o644: false, 0o604: false, 0o660: false, 0o620: false, 0o602: false, 0o601: false, 0o666: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := keyfob.ReadRootKey(path)
		if (err == nil) != ok {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 0600 "+path) {
			t.Errorf("mode %04o: the error does not say what would be right: %v", mode, err)
		}
	}
}

func TestParseRootKey(t *testing.T) {
	key := func(b byte) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune(b)), 32)))
	}
	one, two := "keyfob-root-1:"+key('a'), "keyfob-root-2:"+key('b')
	for _, good := range []string{one, one + "\n", one + "\n" + two + "\n", two, "\n" + one, "keyfob-root-1073741824:" + key('c')} {
		if _, err := keyfob.ParseRootKey(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for name, bad := range map[string]string{
		"empty":             "",
		"only lines":        "\n\n",
		"no prefix":         key('a'),
		"capital prefix":    strings.ToUpper(one),
		"no number":         "keyfob-root-:" + key('a'),
		"number 0":          "keyfob-root-0:" + key('a'),
		"negative":          "keyfob-root--1:" + key('a'),
		"leading zero":      "keyfob-root-01:" + key('a'),
		"plus":              "keyfob-root-+1:" + key('a'),
		"huge number":       "keyfob-root-99999999999999999999:" + key('a'),
		"no colon":          "keyfob-root-1" + key('a'),
		"short":             "keyfob-root-1:" + base64.StdEncoding.EncodeToString(make([]byte, 31)),
		"long":              "keyfob-root-1:" + base64.StdEncoding.EncodeToString(make([]byte, 33)),
		"unpadded":          strings.TrimRight(one, "="),
		"url alphabet":      "keyfob-root-1:" + strings.Repeat("_", 43) + "=",
		"trailing bits":     one[:len(one)-2] + "F=",
		"leading space":     " " + one,
		"trailing space":    one + " ",
		"carriage return":   one + "\r\n",
		"twice":             one + "\n" + one,
		"comment":           "# key\n" + one,
		"a key and garbage": one + "\ngarbage",
		"too long":          strings.Repeat("\n", 9000) + one,
	} {
		_, err := keyfob.ParseRootKey(bad)
		if !errors.Is(err, keyfob.ErrRootKey) {
			t.Errorf("%s: %v, want ErrRootKey", name, err)
		} else if strings.Contains(err.Error(), key('a')[:10]) {
			t.Errorf("%s: the error holds the key: %v", name, err)
		}
	}
}
