package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultDataDir(t *testing.T) {
	t.Setenv("HOME", "/home/u")
	for xdg, want := range map[string]string{
		"":           "/home/u/.local/share/keyfob",
		"/data":      "/data/keyfob",
		"relative":   "/home/u/.local/share/keyfob", // the standard says to ignore it
		"/data/../x": "/x/keyfob",
	} {
		t.Setenv("XDG_DATA_HOME", xdg)
		if got, err := findDataDir(""); err != nil || string(got) != want {
			t.Errorf("XDG_DATA_HOME=%q: %s, %v; want %s", xdg, got, err, want)
		}
	}
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "")
	_, err := findDataDir("")
	wantFailure(t, "no HOME", err, exitWrong, "--data")
}

func TestMakeDataDir(t *testing.T) {
	mode := func(dir string) fs.FileMode {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	made := filepath.Join(t.TempDir(), "a", "b")
	if err := makeDataDir(dataDir(made)); err != nil || mode(made) != 0o700 || mode(filepath.Dir(made)) != 0o700 {
		t.Errorf("a new directory: %v, mode %v", err, mode(made))
	}
	open := func(files ...string) string {
		dir := t.TempDir()
		for _, name := range files {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, files := range [][]string{nil, {"keyfob.db", "other"}, {"root.key"}} {
		dir := open(files...)
		if err := makeDataDir(dataDir(dir)); err != nil || mode(dir) != 0o700 {
			t.Errorf("with %q: %v, mode %v", files, err, mode(dir))
		}
	}
	foreign := open("letter.txt")
	wantFailure(t, "somebody's directory", makeDataDir(dataDir(foreign)), exitWrong, "chmod 0700")
	if mode(foreign) != 0o755 {
		t.Errorf("somebody's directory now has mode %v", mode(foreign))
	}
	file := filepath.Join(foreign, "letter.txt")
	wantFailure(t, "a file", makeDataDir(dataDir(file)), exitWrong, "not a directory")
	wantFailure(t, "below a file", makeDataDir(dataDir(filepath.Join(file, "x"))), exitWrong, "not a directory")
}

// However a directory is named, server and command find the same socket.
func TestSocketPaths(t *testing.T) {
	run := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", run)
	if got := socketPaths("/srv/keyfob"); len(got) != 1 || got[0] != "/srv/keyfob/keyfob.sock" {
		t.Errorf("a short path: %q", got)
	}
	base := t.TempDir()
	long := filepath.Join(base, strings.Repeat("d", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(long, filepath.Join(base, "short")); err != nil {
		t.Fatal(err)
	}
	direct, err := findDataDir(long)
	if err != nil {
		t.Fatal(err)
	}
	linked, err := findDataDir(filepath.Join(base, "x", "..", "short"))
	if err != nil || linked != direct {
		t.Errorf("two names of one directory: %s and %s, %v", direct, linked, err)
	}
	paths := socketPaths(direct)
	if len(paths) < 2 || filepath.Dir(paths[0]) != run {
		t.Fatalf("a long path: %q", paths)
	}
	other := socketPaths(direct + "x")
	for i, path := range paths {
		if len(path) > maxSocketPath || path == other[i] {
			t.Errorf("path %q of one directory, %q of another", path, other[i])
		}
	}
}

func TestCheckPrivate(t *testing.T) {
	dir := t.TempDir()
	for mode, good := range map[fs.FileMode]bool{0o700: true, 0o500: true, 0o701: false, 0o770: false, 0o755: false} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := checkPrivate(dir); (err == nil) != good {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	os.Chmod(dir, 0o700)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if checkPrivate(link) == nil {
		t.Error("a symbolic link, whose target somebody else may choose, is taken")
	}
	if os.Getuid() == 0 {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if checkPrivate(dir) == nil {
			t.Error("another user's directory is taken")
		}
	}
}

// Where there is no run-time folder, one below that for temporary files is made,
// and one that is there already is taken only if it is private.
func TestSocketInTemporaryFolder(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_RUNTIME_DIR", "")
	folders := runtimeFolders()
	folder := folders[len(folders)-1]
	if filepath.Dir(folder) != temp {
		t.Fatalf("the last of %q is not below %s", folders, temp)
	}
	for range 2 {
		if err := makePrivate(folder); err != nil || checkPrivate(folder) != nil {
			t.Errorf("%v", err)
		}
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if makePrivate(folder) == nil {
		t.Error("a folder that is open to others is taken")
	}
	if err := makePrivate(filepath.Join(temp, "below", "below")); err == nil {
		t.Error("a folder is made where none belongs")
	}
}

func TestListenValue(t *testing.T) {
	for _, good := range []string{"127.0.0.1:7420", "127.0.0.1:0", "[::1]:7420", "localhost:7420", "127.1.2.3:65535", ":7420", "0.0.0.0:7420", "[::]:7420", "192.0.2.1:7420"} {
		if err := new(listenValue).Set(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"": "not an address", "127.0.0.1": "not an address", "7420": "not an address", "::1:7420": "not an address", "127.0.0.1:": "no port",
		"127.0.0.1:65536": "no port", "127.0.0.1:-1": "no port", "127.0.0.1:http": "no port", "127.0.0.1:080": "no port", "example.com:7420": "a name",
	} {
		v := listenValue{text: "before"}
		if err := v.Set(bad); err == nil || !strings.Contains(err.Error(), says) || v.text != "before" {
			t.Errorf("%q: %v; want an error that says %q", bad, err, says)
		}
	}
}
