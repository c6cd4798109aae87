package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// connections are kept alive, and each of them has one request under way.
const connections = 4

// A load asks a server the same requests again and again.
type load struct {
	requests []string
	conns    []net.Conn
	readers  []*bufio.Reader
}

// connect waits until a server answers at address, unless it ends before.
func connect(ctx context.Context, address string, requests []string, ended <-chan error) (*load, error) {
	l := &load{requests: requests}
	deadline := time.Now().Add(30 * time.Second)
	for len(l.conns) < connections {
		c, err := net.Dial("tcp", address)
		if err == nil {
			l.conns = append(l.conns, c)
			l.readers = append(l.readers, bufio.NewReader(c))
			continue
		}
		select {
		case err := <-ended:
			return nil, errors.Join(fmt.Errorf("it ended at once: %v; start it by hand to see why", err), l.close())
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("it does not listen after 30 s: %w", err)
		}
	}
	return l, nil
}

// run sends n requests, over all connections.
func (l *load) run(n int) error {
	return together(connections, n, func(i int) error {
		_, err := l.ask(i%connections, i)
		return err
	})
}

// ask sends one request and returns its answer, which has to be that the key is
// valid.
func (l *load) ask(connection, request int) (string, error) {
	if _, err := io.WriteString(l.conns[connection], l.requests[request%len(l.requests)]); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(l.readers[connection], nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(body), `"valid":true`) {
		return "", fmt.Errorf("answered %s: %s", answer.Status, body)
	}
	return strings.TrimSpace(string(body)), nil
}

func (l *load) close() error {
	var errs []error
	for _, c := range l.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
