//go:build !linux && !darwin && !freebsd

package server

import "net"

// peerUser knows no user on this system: the socket's file says who may open it,
// and events say only that somebody did.
func peerUser(*net.UnixConn) (string, bool) { return "unknown", true }
