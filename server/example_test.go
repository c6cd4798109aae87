package server_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// openAuthority is what a program does before: see keyfob.Open.
func openAuthority(ctx context.Context, dir string) (*keyfob.Authority, error) {
	st, err := sqlite.Open(filepath.Join(dir, "keyfob.db"))
	if err != nil {
		return nil, err
	}
	rootKey, err := keyfob.CreateRootKey(filepath.Join(dir, "root.key"))
	if err != nil {
		return nil, err
	}
	return keyfob.Open(ctx, keyfob.Config{Store: st, RootKey: rootKey})
}

// A server of your own, until the program is interrupted.
func ExampleNew() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	a, err := openAuthority(ctx, ".")
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{Authority: a})
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:7420")
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Serve(ctx, l); err != nil {
		log.Fatal(err)
	}
}

// The API beside routes of the program's own.
func ExampleServer_Handler() {
	dir, err := os.MkdirTemp("", "keyfob")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	a, err := openAuthority(context.Background(), dir)
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{Authority: a, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.Handler())
	mux.Handle("/", http.NotFoundHandler())

	ts := httptest.NewServer(mux)
	defer ts.Close()
	r, err := http.Get(ts.URL + "/v1/spaces")
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	fmt.Println(r.Status)
	// Output: 401 Unauthorized
}

// On a Unix socket, for those who may open it, and by HTTPS for all others.
func ExampleServer_Serve() {
	ctx := context.Background()
	a, err := openAuthority(ctx, ".")
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{Authority: a})
	if err != nil {
		log.Fatal(err)
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: "private/keyfob.sock", Net: "unix"})
	if err != nil {
		log.Fatal(err)
	}
	public, err := net.Listen("tcp", ":7420")
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := server.LoadCertificate("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Serve(ctx, server.Local(socket), server.TLS(public, certificate)); err != nil {
		log.Fatal(err)
	}
}

// A certificate that is renewed while the server runs is taken up.
func ExampleCertificate_Refresh() {
	certificate, err := server.LoadCertificate("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	for range time.Tick(time.Minute) {
		switch changed, err := certificate.Refresh(); {
		case err != nil:
			log.Print(err) // the one before stays in use
		case changed:
			log.Printf("a new certificate, good until %v", certificate.Leaf().NotAfter)
		}
	}
}

// The same at once, for instance when the program gets SIGHUP.
func ExampleCertificate_Reload() {
	certificate, err := server.LoadCertificate("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := certificate.Reload(); err != nil {
		log.Print(err)
	}
}
