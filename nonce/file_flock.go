//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package nonce

import (
	"errors"
	"os"
	"syscall"
)

const canLock = true

// lock waits until no other process, and no other file opened in this one, has the
// lock. It ends with the file's closing, and so with the process.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
