//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
)

// prepareProcess lets no file that is made from here on be open to others, and
// makes a limit to the size of files an error of a write, as a full disk is.
func prepareProcess() {
	syscall.Umask(0o077)
	signal.Ignore(syscall.SIGXFSZ)
}

// listenSocket makes a Unix socket of mode 0600. It has that mode from the start.
func listenSocket(path string) (*net.UnixListener, error) {
	before := syscall.Umask(0o177)
	defer syscall.Umask(before)
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// runtimeFolders are the folders for sockets, the best first.
func runtimeFolders() []string {
	uid := strconv.Itoa(os.Getuid())
	folders := []string{
		filepath.Join("/run/user", uid),
		filepath.Join(os.TempDir(), "keyfob-"+uid),
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		folders = append([]string{filepath.Clean(dir)}, folders...)
	}
	return folders
}

// checkPrivate refuses a folder that is another user's or open to others: there
// somebody else could put a socket of their own.
func checkPrivate(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != os.Getuid() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is not a folder that is yours alone", folder)
	}
	return nil
}

// makePrivate makes a folder of mode 0700 unless it is there, and checks it.
// Only the folder for temporary files is the right place to make one.
func makePrivate(folder string) error {
	if filepath.Dir(folder) == filepath.Clean(os.TempDir()) {
		os.Mkdir(folder, 0o700) // what stands in the way is found by the check
	}
	return checkPrivate(folder)
}
