//go:build darwin || freebsd

package server

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// peerUser returns the id of the user at the other end of a Unix socket, as it
// was when they connected. Without it nobody is local.
func peerUser(c *net.UnixConn) (string, bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return "", false
	}
	var peer *unix.Xucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptXucred(int(fd), 0 /* SOL_LOCAL */, unix.LOCAL_PEERCRED)
	})
	if err != nil || peerErr != nil {
		return "", false
	}
	return strconv.FormatUint(uint64(peer.Uid), 10), true
}
