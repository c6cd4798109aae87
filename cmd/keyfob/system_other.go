//go:build !unix

package main

import (
	"net"
	"os"
	"path/filepath"
)

// prepareProcess does nothing: here files are the user's own by where they are.
func prepareProcess() {}

func listenSocket(path string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

func runtimeFolders() []string { return []string{filepath.Join(os.TempDir(), "keyfob")} }

func checkPrivate(folder string) error {
	_, err := os.Stat(folder)
	return err
}

func makePrivate(folder string) error { return os.MkdirAll(folder, 0o700) }
