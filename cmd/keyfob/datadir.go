package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// The files of a data directory.
const (
	databaseFile = "keyfob.db"
	rootKeyFile  = "root.key"
	ownerFile    = "owner.token"
	pendingFile  = "owner.token.pending" // there while the first run is not done; see makeOwner
	socketFile   = "keyfob.sock"
)

// A dataDir is where a server keeps what it must not lose. It is absolute.
type dataDir string

func (d dataDir) file(name string) string { return filepath.Join(string(d), name) }

// addDataFlag adds the flag that names the data directory.
func addDataFlag(cmd *cobra.Command) *string {
	dir := addText(cmd, "data", "DIR", "", "data directory of the server; the default is keyfob in your data folder")
	fromEnv(cmd.Flags(), "data", "KEYFOB_DATA")
	cmd.MarkFlagDirname("data")
	return dir
}

// findDataDir returns the data directory that is meant: the path, or with none
// the default. It need not exist.
func findDataDir(path string) (dataDir, error) {
	if path == "" {
		folder, err := dataFolder()
		if err != nil {
			return "", err
		}
		path = filepath.Join(folder, "keyfob")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", wrong("the path of the data directory cannot be completed (%v); give a full one with --data", err)
	}
	// Server and command must agree on one path, whichever way each was given.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return dataDir(path), nil
}

// dataFolder is where the system wants the user's programs to keep their data.
func dataFolder() (string, error) {
	if runtime.GOOS == "windows" {
		if dir := os.Getenv("LocalAppData"); dir != "" {
			return dir, nil
		}
		return "", wrong("your data folder is not known, since LocalAppData is not set; give a data directory with --data")
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) && runtime.GOOS != "darwin" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", wrong("your data folder is not known, since HOME is not set; give a data directory with --data")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support"), nil
	}
	return filepath.Join(home, ".local", "share"), nil
}

// makeDataDir makes the data directory, for its owner only, where it is not
// there yet. One that others may enter is closed to them when it is empty or
// keyfob's already; anything else is refused and left alone.
func makeDataDir(dir dataDir) error {
	if err := makeLasting(string(dir)); err != nil {
		return wrong("the data directory cannot be made: %v; give another with --data", err)
	}
	info, err := os.Stat(string(dir))
	if err != nil {
		return wrong("the data directory cannot be used: %v; give another with --data", err)
	}
	if !info.IsDir() {
		return wrong("the data directory %s is not a directory; give another with --data", dir)
	}
	if isClosed(info) {
		return nil
	}
	ours, err := isOurs(dir)
	if err != nil {
		return wrong("the data directory cannot be read: %v; give another with --data", err)
	}
	if ours {
		err = os.Chmod(string(dir), 0o700)
	} else if now, err := os.Stat(string(dir)); err == nil && isClosed(now) {
		return nil // by another first run, which has begun to fill it
	}
	if !ours || err != nil {
		return wrong("the data directory %s is open to others (mode %04o); close it: chmod 0700 %[1]s", dir, info.Mode().Perm())
	}
	return nil
}

// isClosed reports whether only its owner may enter a directory.
func isClosed(info fs.FileInfo) bool {
	return runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0
}

// makeLasting makes a directory with those above it, and makes their names last.
func makeLasting(path string) error {
	if there, err := isThere(path); there || err != nil || filepath.Dir(path) == path {
		return err
	}
	if err := makeLasting(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// isOurs reports whether a directory is empty or holds keyfob's files.
func isOurs(dir dataDir) (bool, error) {
	entries, err := os.ReadDir(string(dir))
	if err != nil || len(entries) == 0 {
		return err == nil, err
	}
	for _, name := range []string{databaseFile, rootKeyFile} {
		if there, err := isThere(dir.file(name)); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// isThere reports whether a file is there; an error when that cannot be known.
func isThere(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// maxSocketPath is the longest path of a socket that all systems take.
const maxSocketPath = 100

// socketPaths returns where the socket of a data directory may be. It is in the
// directory itself, or, where that path is too long for a socket, in a run-time
// folder under a name that follows from the directory's path. A server takes the
// first that it can use, a client the first that is there.
func socketPaths(dir dataDir) []string {
	if path := dir.file(socketFile); len(path) <= maxSocketPath {
		return []string{path}
	}
	sum := sha256.Sum256([]byte(dir))
	name := "keyfob-" + hex.EncodeToString(sum[:8]) + ".sock"
	var paths []string
	for _, folder := range runtimeFolders() {
		if path := filepath.Join(folder, name); len(path) <= maxSocketPath {
			paths = append(paths, path)
		}
	}
	return paths
}
