package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// serving is a server that starts, runs and ends.
type serving struct {
	u           *ui
	dir         dataDir
	dataGiven   bool // not the default
	listen      listenValue
	rootKeyFile *string
	madeKey     string // path of the root key that this start has made
	log         *slog.Logger
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

SIGINT and SIGTERM end it: requests under way are answered first. A second one ends
it at once.`,
		Example: `  keyfob serve
  keyfob serve --data /srv/keyfob --listen 127.0.0.1:8080
  keyfob serve --root-key-file /run/credentials/root.key --log-format json`,
		GroupID:           groupServer,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := &serving{u: u, listen: listenValue{text: "127.0.0.1:7420"}}
	data := addDataFlag(cmd)
	flags := cmd.Flags()
	flags.Var(&s.listen, "listen", "address on the loopback interface; port 0 takes any that is free")
	s.rootKeyFile = addText(cmd, "root-key-file", "FILE", "", "file with the root key, made by the first start; the default is root.key in the data directory")
	format := addChoice(cmd, "log-format", "form of the log on stderr: text or json", "text", "json")
	fromEnv(flags, "listen", "KEYFOB_LISTEN")
	fromEnv(flags, "root-key-file", "KEYFOB_ROOT_KEY_FILE")
	fromEnv(flags, "log-format", "KEYFOB_LOG_FORMAT")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var err error
		if s.dir, err = findDataDir(*data); err != nil {
			return err
		}
		s.dataGiven = *data != ""
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
	tcp, err := s.openPort()
	if err != nil {
		return err
	}
	defer tcp.Close()
	st, a, err := s.openData(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	// The lock on the database goes last: nobody may come in before the socket is
	// gone, or it would be theirs that goes.
	defer func() { err = errors.Join(err, closeData(a, st)) }()
	made, err := makeOwner(a, s.dir, s.log)
	if err != nil {
		return err
	}
	socket, err := openSocket(s.dir)
	if err != nil {
		return err
	}
	defer socket.Close()
	if made {
		s.welcome(tcp.Addr().String())
	}
	s.log.Info("listening", "address", tcp.Addr().String(), "socket", socket.Addr().String(), "data", string(s.dir))
	return s.serve(ctx, a, st, tcp, server.Local(socket))
}

// serve answers requests until ctx ends or the store fails.
func (s *serving) serve(ctx context.Context, a *keyfob.Authority, st *sqlite.Store, listeners ...net.Listener) error {
	srv, err := server.New(server.Config{Authority: a, Logger: s.log})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-st.Failed():
			stop()
		case <-ctx.Done():
		}
	}()
	err = srv.Serve(ctx, listeners...)
	if failed := st.Err(); failed != nil {
		return undecided("the database failed, and the server has ended: %v; see to the storage and start it again", failed)
	}
	if err == nil {
		s.log.Info("ended")
	}
	return err
}

// closeData closes what openData opened.
func closeData(a *keyfob.Authority, st *sqlite.Store) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(a.Close(ctx), st.Close()); err != nil {
		return undecided("the database could not be closed well: %v", err)
	}
	return nil
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

// listenValue is a flag for an address to listen at.
type listenValue struct{ text string }

func (v *listenValue) String() string { return v.text }
func (v *listenValue) Type() string   { return "ADDRESS" }

func (v *listenValue) Set(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("is not an address; give one as 127.0.0.1:7420")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return errors.New("has no port from 0 to 65535; give an address as 127.0.0.1:7420")
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" && host != "" {
		return errors.New("has a name for an address; give one as 127.0.0.1:7420 or [::1]:7420")
	}
	if !isLoopback(host) {
		return errors.New("is open to other machines, and tokens could be read on their way, since this version speaks plain HTTP only; give 127.0.0.1 or [::1]")
	}
	v.text = text
	return nil
}

// openPort begins to listen at the address. It comes first, so that a port in
// use is found before anything is made.
func (s *serving) openPort() (net.Listener, error) {
	l, err := net.Listen("tcp", s.listen.text)
	if err == nil {
		if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
			l.Close()
			return nil, wrong("%s is open to other machines here; give 127.0.0.1 or [::1]", s.listen.text)
		}
		return l, nil
	}
	reason := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		reason = op.Err
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, wrong("cannot listen at %s: %v; give another address with --listen", s.listen.text, reason)
	}
	if c, derr := net.Dial("unix", findSocket(s.dir)); derr == nil {
		c.Close()
		return nil, no("a server runs on %s already; stop it, or give this one a --data and a --listen of its own", s.dir)
	}
	return nil, no("%s is in use by another program; give another address with --listen", s.listen.text)
}
