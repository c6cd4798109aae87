package server

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// TLS makes a listener speak TLS 1.2 and up with the certificate, so that Serve
// answers HTTPS on it, with HTTP/1.1 and HTTP/2.
func TLS(l net.Listener, c *Certificate) net.Listener {
	return &tlsListener{l, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}}
}

type tlsListener struct {
	net.Listener
	config *tls.Config
}

// A Certificate is a certificate chain and its private key in two files, which
// may be replaced while it is in use. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]

	mu   sync.Mutex
	seen [2]fileState // of the files when they were read last; zero: they were not good
}

// fileState tells one content of a file from another, without reading it.
type fileState struct {
	info os.FileInfo
}

// LoadCertificate reads a chain, the server's certificate first, and its private
// key, both in PEM. It refuses a pair that no client could be served with: what is
// not PEM, a key of another certificate, a certificate whose time is over or has
// not come; and a key file that others than its owner and group may read, or
// others than its owner may change.
func LoadCertificate(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Leaf returns the certificate that is in use.
func (c *Certificate) Leaf() *x509.Certificate { return c.current.Load().Leaf }

// Reload reads the files again, and reports whether they hold another certificate
// now. If they are not good, for instance because only one of them has been
// replaced yet, the certificate before stays in use. New connections get the new
// one; those that are open go on.
func (c *Certificate) Reload() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reload(c.state())
}

// Refresh is Reload if the files may have changed since they were read, or were
// not good then. It costs little where they have not.
func (c *Certificate) Refresh() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.state()
	if c.seen[0].same(now[0]) && c.seen[1].same(now[1]) {
		return false, nil
	}
	return c.reload(now)
}

func (c *Certificate) reload(state [2]fileState) (changed bool, err error) {
	c.seen = [2]fileState{}
	pair, err := readPair(c.certFile, c.keyFile)
	if err != nil {
		return false, err
	}
	// The state is older than what was read: a change in between is read again.
	c.seen = state
	before := c.current.Swap(pair)
	return before == nil || !before.Leaf.Equal(pair.Leaf), nil
}

// state is what the files look like from outside.
func (c *Certificate) state() (state [2]fileState) {
	for i, path := range []string{c.certFile, c.keyFile} {
		state[i].info, _ = os.Stat(path) // why it cannot be, reading it tells
	}
	return state
}

func (s fileState) same(now fileState) bool {
	return s.info != nil && now.info != nil && os.SameFile(s.info, now.info) &&
		s.info.ModTime().Equal(now.info.ModTime()) && s.info.Size() == now.info.Size() && s.info.Mode() == now.info.Mode()
}

// readPair reads and checks a certificate and its key. Errors tell nothing of what
// is in the key's file.
func readPair(certFile, keyFile string) (*tls.Certificate, error) {
	certText, err := readPEM(certFile, false)
	if err != nil {
		return nil, err
	}
	keyText, err := readPEM(keyFile, true)
	if err != nil {
		return nil, err
	}
	defer clear(keyText)
	leaf, err := parseChain(certText)
	if err != nil {
		return nil, fmt.Errorf("certificate: %s %w", certFile, err)
	}
	if err := checkKey(keyText); err != nil {
		return nil, fmt.Errorf("certificate: %s %w", keyFile, err)
	}
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return nil, fmt.Errorf("certificate: the key in %s is not that of the certificate in %s, which has to be the first in its file", keyFile, certFile)
	}
	const day = "2006-01-02 15:04 MST"
	switch now := time.Now(); {
	case !now.Before(leaf.NotAfter):
		return nil, fmt.Errorf("certificate: %s has expired, on %s; put a new one there", certFile, leaf.NotAfter.UTC().Format(day))
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("certificate: %s is good from %s only; look at this machine's clock, or put another one there", certFile, leaf.NotBefore.UTC().Format(day))
	}
	return &pair, nil
}

// maxPEM is the most that a chain or a key has, in bytes.
const maxPEM = 1 << 20

func readPEM(path string, private bool) ([]byte, error) {
	info, err := os.Stat(path) // before it is opened: to open a pipe may take forever
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("certificate: %s is not a regular file, and could not be read a second time", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if mode := info.Mode().Perm(); private && runtime.GOOS != "windows" && mode&0o027 != 0 {
		return nil, fmt.Errorf("certificate: the key file %s has mode %04o, so that others may read or change it: chmod 0600 %[1]s", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if len(text) > maxPEM {
		return nil, fmt.Errorf("certificate: %s has over %d bytes", path, maxPEM)
	}
	return text, nil
}

// parseChain returns the first certificate of a chain.
func parseChain(text []byte) (leaf *x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("holds a certificate that cannot be read")
		}
		if leaf == nil {
			leaf = c
		}
	}
	if leaf == nil {
		return nil, errors.New("holds no certificate in PEM, of the form -----BEGIN CERTIFICATE-----")
	}
	return leaf, nil
}

// checkKey says of a key's text what tls.X509KeyPair would say less clearly.
func checkKey(text []byte) error {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return errors.New("holds no private key in PEM, of the form -----BEGIN PRIVATE KEY-----")
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if strings.HasPrefix(block.Type, "ENCRYPTED") || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return errors.New("holds a private key that is encrypted, and there is nobody to ask for its passphrase; store it without one")
		}
		return nil
	}
}
