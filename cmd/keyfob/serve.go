package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/server"
)

// serving is a server that starts, runs and ends.
type serving struct {
	*site
	*front
	u   *ui
	log *slog.Logger
}

func newServe(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Run the server",
		Long: `Run the server: an HTTP API on the loopback interface, and a Unix socket in the data
directory, over which the other commands on this machine speak with it. Whoever may
open the socket is the owner.

The first start in an empty data directory makes

  root.key      what all digests hang on; keep a copy of it apart from the database
  keyfob.db     the database
  owner.token   a token that may do everything; move it to where it is safe

and says what to type next. A flag that is not given is taken from the variable that
stands behind it. KEYFOB_ROOT_KEY may hold the root key itself, in the place of a
file; another process of the same user can read that.

An address that other machines can reach needs --tls-cert and --tls-key, or
--behind-proxy, which says that a proxy in front of it speaks TLS with clients: what
comes from there may then be plain HTTP. Both together are TLS from the proxy to
here. Certificate and key are read again when their files change, and on SIGHUP; a
pair that is not good is not taken.

With --trusted-proxy the log names the client by the X-Forwarded-For of that proxy:
by the rightmost address in it that is not a trusted proxy's.

SIGINT and SIGTERM end it: requests under way are answered first. A second one ends
it at once.`,
		Example: `  keyfob serve
  keyfob serve --data /srv/keyfob --listen 127.0.0.1:8080
  keyfob serve --root-key-file /run/credentials/root.key --log-format json
  keyfob serve --listen :443 --tls-cert fullchain.pem --tls-key privkey.pem
  keyfob serve --listen 10.0.0.5:7420 --behind-proxy --trusted-proxy 10.0.0.0/24`,
		GroupID:           groupServer,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := &serving{u: u, site: addSite(cmd), front: addFront(cmd)}
	format := addChoice(cmd, "log-format", "form of the log on stderr: text or json", "text", "json")
	fromEnv(cmd.Flags(), "log-format", "KEYFOB_LOG_FORMAT")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.find(); err != nil {
			return err
		}
		s.log = slog.New(slog.NewTextHandler(u.stderr, nil))
		if format.text == "json" {
			s.log = slog.New(slog.NewJSONHandler(u.stderr, nil))
		}
		return s.run(cmd.Context())
	}
	return cmd
}

// run starts the server, and returns when it has ended.
func (s *serving) run(ctx context.Context) (err error) {
	ctx = s.u.untilSignal(ctx)
	prepareProcess()
	if err := s.check(); err != nil {
		return err
	}
	tcp, err := s.openPort()
	if err != nil {
		return err
	}
	defer tcp.Close()
	if err := s.open(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	// The lock on the database goes last: nobody may come in before the socket is
	// gone, or it would be theirs that goes.
	defer func() { err = errors.Join(err, s.close()) }()
	made, err := makeOwner(s.authority, s.dir, s.log)
	if err != nil {
		return err
	}
	if behind := s.authority.ClockBehind(); behind > 30*time.Second {
		s.log.Warn("the clock is behind the highest time that the database has seen; set it, or see: keyfob clock accept", "by", behind.String())
	}
	socket, err := openSocket(s.dir)
	if err != nil {
		return err
	}
	defer socket.Close()
	if made {
		s.welcome(s.url(tcp.Addr()))
	}
	s.log.Info("listening", "address", tcp.Addr().String(), "scheme", s.scheme(), "socket", socket.Addr().String(), "data", string(s.dir))
	if s.certificate != nil {
		tcp = server.TLS(tcp, s.certificate)
	}
	return s.serve(ctx, tcp, server.Local(socket))
}

// serve answers requests until ctx ends or the store fails.
func (s *serving) serve(ctx context.Context, listeners ...net.Listener) error {
	srv, err := server.New(server.Config{Authority: s.authority, Logger: s.log, TrustedProxies: s.proxies})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if s.certificate != nil {
		go watchCertificate(ctx, s.certificate, s.log)
	}
	go func() {
		select {
		case <-s.store.Failed():
			stop()
		case <-ctx.Done():
		}
	}()
	err = srv.Serve(ctx, listeners...)
	if failed := s.store.Err(); failed != nil {
		return undecided("the database failed, and the server has ended: %v; see to the storage and start it again", failed)
	}
	if err == nil {
		s.log.Info("ended")
	}
	return err
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The
// second ends the process at once, which costs nothing that was acknowledged.
func (u *ui) untilSignal(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(u.report(undecided("ended at once by a second signal; requests under way were not answered")))
	}()
	return ctx
}
