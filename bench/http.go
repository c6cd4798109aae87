package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/server"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

func httpRows() []row {
	return []row{
		{
			name:    "HTTP verify from cache : net/http, JSON and one HMAC",
			targets: []target{{cpu, atMost, 1.5}},
			prepare: func(e *env) (side, side, error) {
				return e.verifyHTTP(func(dir, address string) (*exec.Cmd, error) {
					keyfob, err := e.keyfob()
					return exec.CommandContext(e.ctx, keyfob, "serve", "--data", dir, "--listen", address), err
				})
			},
		},
		{
			name: "HTTP verify uncached on SQLite : net/http, JSON and one HMAC",
			prepare: func(e *env) (side, side, error) {
				return e.verifyHTTP(func(dir, address string) (*exec.Cmd, error) {
					return e.self("uncached", dir, address)
				})
			},
		},
	}
}

// limited is the key that is verified over HTTP. It has a limit, which is metered
// and which no load reaches.
var limited = keyfob.APIKey{
	Subject: "alice", Scopes: []string{"read"}, Limit: keyfob.Limit{Rate: 1_000_000, Per: time.Second},
}

// verifyHTTP puts the same load on keyfob, in a process of its own, and on the
// floor: a handler of net/http that does the least.
func (e *env) verifyHTTP(start func(dir, address string) (*exec.Cmd, error)) (ours, peer side, err error) {
	dir, err := e.folder()
	if err != nil {
		return ours, peer, err
	}
	caller, tokens, err := e.makeData(dir)
	if err != nil {
		return ours, peer, err
	}
	requests := make([]string, len(tokens))
	for i, t := range tokens {
		requests[i] = verifyRequest(caller, t)
	}
	ours, answer, err := e.serving(requests, func(address string) (*exec.Cmd, error) { return start(dir, address) })
	if err != nil {
		return ours, peer, err
	}
	if _, err := parseVerdict(answer); err != nil {
		return ours, peer, err
	}
	peer, same, err := e.serving(requests, func(address string) (*exec.Cmd, error) {
		return e.self("floor", answer, address)
	})
	if err == nil && len(same) != len(answer) { // fields may be in another order
		err = fmt.Errorf("the floor answers %s, and keyfob %s: %s", same, answer, mend)
	}
	return ours, peer, err
}

// makeData makes a data directory with keys in it. It returns the token of a
// caller who may verify, and the tokens to be verified.
func (e *env) makeData(dir string) (caller string, tokens []string, err error) {
	db, err := sqlite.Open(filepath.Join(dir, databaseName))
	if err != nil {
		return "", nil, err
	}
	rootKey, err := keyfob.CreateRootKey(filepath.Join(dir, rootKeyName))
	if err != nil {
		return "", nil, errors.Join(err, db.Close())
	}
	a, err := keyfob.Open(e.ctx, keyfob.Config{Store: db, RootKey: rootKey})
	if err != nil {
		return "", nil, errors.Join(err, db.Close())
	}
	k, err := a.In(keyfob.OwnSpace).Issue(e.ctx, keyfob.APIKey{Subject: "bench", Scopes: []string{"default:verify"}})
	if err == nil {
		tokens, err = issue(e.ctx, a, e.size(1000), limited)
	}
	return k.Secret.Reveal(), tokens, errors.Join(err, closeAuthority(a), db.Close())
}

func verifyRequest(caller, token string) string {
	body := `{"token":"` + token + `","scopes":["read"]}`
	return fmt.Sprintf("POST /v1/spaces/default/verify HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", caller, len(body), body)
}

// serving starts a server and returns the side that loads it, and its answer to
// the first request.
func (e *env) serving(requests []string, start func(address string) (*exec.Cmd, error)) (s side, answer string, err error) {
	address, err := freeAddress()
	if err != nil {
		return s, "", err
	}
	cmd, err := start(address)
	if err != nil {
		return s, "", err
	}
	// Stdout and stderr are the null device: a line of the log is written, but
	// nobody's disk is measured.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Start(); err != nil {
		return s, "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	e.onEnd(func() error {
		cmd.Process.Signal(os.Interrupt)
		<-ended
		return nil
	})
	l, err := connect(e.ctx, address, requests, ended)
	if err != nil {
		return s, "", fmt.Errorf("%s: %w", cmd, err)
	}
	e.onEnd(l.close)
	if answer, err = l.ask(0, 0); err != nil {
		return s, "", err
	}
	s = side{run: l.run, cpu: func() (time.Duration, error) { return cpuOf(cmd.Process.Pid) }}
	return s, answer, l.run(len(requests)) // the cache has all keys then
}

// freeAddress returns an address on the loopback interface that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// A process of this program with this variable is one of the servers.
const serverVariable = "KEYFOB_BENCH_SERVER"

var servers = map[string]func(context.Context) error{"floor": floor, "uncached": uncached}

// self returns this program as one of the servers, with its two arguments.
func (e *env) self(name string, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(e.ctx, path)
	encoded, err := json.Marshal(args)
	cmd.Env = append(os.Environ(), serverVariable+"="+name, serverVariable+"_ARGS="+string(encoded))
	return cmd, err
}

func serverArgs() (first, address string, err error) {
	var args []string
	err = json.Unmarshal([]byte(os.Getenv(serverVariable+"_ARGS")), &args)
	if err == nil && len(args) != 2 {
		err = fmt.Errorf("a server takes 2 arguments, not %d", len(args))
	}
	if err != nil {
		return "", "", err
	}
	return args[0], args[1], nil
}

// uncached is keyfob serve as far as a request goes, with every verification read
// from the database, for which the command has no flag.
func uncached(ctx context.Context) (err error) {
	dir, address, err := serverArgs()
	if err != nil {
		return err
	}
	rootKey, err := keyfob.ReadRootKey(filepath.Join(dir, rootKeyName))
	if err != nil {
		return err
	}
	db, err := sqlite.Open(filepath.Join(dir, databaseName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := keyfob.Open(ctx, keyfob.Config{Store: db, RootKey: rootKey, MaxStaleness: -1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAuthority(a)) }()
	s, err := server.New(server.Config{Authority: a, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}
