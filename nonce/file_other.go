//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package nonce

import "os"

const canLock = false

func lock(*os.File) error { panic("nonce: lock without canLock") }
