// Command webapp is a small application around keyfob: sign-up, sign-in with a
// second factor, sessions, password reset and API keys.
//
//	go run ./examples/webapp
//
// docs/sessions.md walks through it. The mails that it sends go to a folder and to
// its page /mail, for everybody to read: so it listens on localhost alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "localhost:8080", "host and port, 0 for any that is free; the host is a name or an address of this machine")
	data := flag.String("data", "webapp-data", "folder for the root key, the databases and the mails; it is made where it is missing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, "webapp:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then finishes what was begun.
func run(ctx context.Context, out io.Writer, listen, data string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(listener.Addr().String()) // which port 0 leaves to the system
	base := "http://" + net.JoinHostPort(host, port)
	a, err := open(ctx, data, base, time.Now)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}
	fmt.Fprintln(out, base)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	go a.purgeDaily(ctx)
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(ctx), a.close(ctx))
}
