package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// signer is an authority of a test's own.
type signer struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

// newSigner makes an authority, and writes its certificate to ca.pem.
func newSigner(dir string) (*signer, error) {
	s := &signer{dir: dir}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	s.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, s.cert, s.cert, &s.key.PublicKey, s.key)
	if err != nil {
		return nil, err
	}
	return s, writeWhole(filepath.Join(dir, "ca.pem"), "CERTIFICATE", der)
}

// sign makes a certificate for this machine that is good until so long after now,
// and returns its DER and that of its key.
func (s *signer) sign(until time.Duration) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	s.n++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 + s.n), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(until),
	}
	if cert, err = x509.CreateCertificate(rand.Reader, template, s.cert, &private.PublicKey, s.key); err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(private)
	return cert, key, err
}

// writeWhole replaces a file, as a good program renews a certificate.
func writeWhole(path, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// pair writes a new pair.
func (s *signer) pair(cert, key string, until time.Duration) error {
	c, k, err := s.sign(until)
	if err != nil {
		return err
	}
	return errors.Join(writeWhole(filepath.Join(s.dir, cert), "CERTIFICATE", c), writeWhole(filepath.Join(s.dir, key), "PRIVATE KEY", k))
}

// makeCertificates makes ca.pem and, signed by it, cert.pem with key.pem, one with
// other-key.pem, and the expired expired.pem with expired-key.pem.
func makeCertificates(dir string) (*signer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s, err := newSigner(dir)
	if err != nil {
		return nil, err
	}
	return s, errors.Join(
		s.pair("cert.pem", "key.pem", time.Hour), s.pair("other.pem", "other-key.pem", time.Hour), s.pair("expired.pem", "expired-key.pem", -time.Hour))
}

func scriptCertificates(ts *testscript.TestScript, neg bool, args []string) {
	_, err := makeCertificates(ts.MkAbs(args[0]))
	ts.Check(err)
}

// secure is a server that speaks TLS, and its clients.
type secure struct {
	*running
	signer *signer
	pool   *x509.CertPool
}

func serveTLS(t *testing.T) *secure {
	t.Helper()
	dir := t.TempDir()
	signer, err := makeCertificates(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &secure{signer: signer, pool: x509.NewCertPool()}
	text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !s.pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	s.running = serve(t, t.TempDir(), "KEYFOB_TLS_CERT="+filepath.Join(dir, "cert.pem"), "KEYFOB_TLS_KEY="+filepath.Join(dir, "key.pem"))
	return s
}

// client is one without connections yet.
func (s *secure) client() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.pool}, ForceAttemptHTTP2: true,
	}}
}

// serial is the number of the certificate that a new connection gets.
func (s *secure) serial() int64 {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.pool})
	if err != nil {
		s.t.Fatalf("a connection is refused: %v", err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// await waits for a certificate, and says how long that took.
func (s *secure) await(want int64) time.Duration {
	s.t.Helper()
	start := time.Now()
	for s.serial() != want {
		if time.Since(start) > 30*time.Second {
			s.t.Fatalf("the certificate is number %d, want %d\n%s", s.serial(), want, s.log)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(start)
}

// awaitLog waits until the log has a text so many times.
func (s *running) awaitLog(text string, times int) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); strings.Count(s.log.String(), text) < times; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("the log has not %d times %q\n%s", times, text, s.log)
		}
	}
}

// A server takes a new certificate when its files change, and when it is told to;
// of one that is not good it says so, once, and goes on with the one before. Nobody
// is refused meanwhile, on new connections or on old ones.
func TestCertificateReload(t *testing.T) {
	t.Parallel()
	s := serveTLS(t)
	stop := make(chan bool)
	var asked atomic.Int64
	var wg sync.WaitGroup
	for _, keep := range []bool{true, false} {
		wg.Go(func() {
			client := s.client()
			client.Transport.(*http.Transport).DisableKeepAlives = !keep
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get("https://" + s.addr + "/healthz")
				if err != nil {
					t.Errorf("refused: %v", err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				asked.Add(1)
			}
		})
	}
	renew := func(until time.Duration) int64 {
		if err := s.signer.pair("cert.pem", "key.pem", until); err != nil {
			t.Fatal(err)
		}
		return 1 + s.signer.n
	}
	first := s.serial()
	seen := s.await(renew(time.Hour))
	second := s.serial()

	// Half of a pair, looked at by the clock and on a signal.
	cert, key, err := s.signer.sign(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	third := 1 + s.signer.n
	const kept = `"msg":"the certificate was not reloaded, and the one before stays in use","error":"certificate: the key in `
	if err := writeWhole(filepath.Join(s.signer.dir, "cert.pem"), "CERTIFICATE", cert); err != nil {
		t.Fatal(err)
	}
	s.awaitLog(kept, 1)
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.awaitLog(kept, 2)
	if got := s.serial(); got != second {
		t.Errorf("with half of a pair the certificate is number %d, want %d", got, second)
	}
	if err := writeWhole(filepath.Join(s.signer.dir, "key.pem"), "PRIVATE KEY", key); err != nil {
		t.Fatal(err)
	}
	s.cmd.Process.Signal(syscall.SIGHUP)
	told := s.await(third)

	renew(-time.Hour)
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.awaitLog("has expired, on ", 1)
	if got := s.serial(); got != third {
		t.Errorf("the certificate is number %d, want %d", got, third)
	}
	s.await(renew(time.Hour))
	s.cmd.Process.Signal(syscall.SIGHUP)
	s.awaitLog(`"msg":"the certificate is the same as before"`, 1)
	close(stop)
	wg.Wait()
	if text := s.log.String(); strings.Count(text, kept) > 2 || strings.Contains(text, "PRIVATE") || first == second {
		t.Errorf("the log:\n%s", text)
	}
	s.stop()
	t.Logf("%d requests during 3 reloads and 2 refused ones, none lost; a new pair was seen after %v, on SIGHUP after %v",
		asked.Load(), seen.Round(time.Millisecond), told.Round(time.Millisecond))
}

// Behind a trusted proxy the log has the client's address, and no answer changes by
// it; another's header counts for nothing.
func TestForwarded(t *testing.T) {
	t.Parallel()
	for trusted, want := range map[string]string{"127.0.0.1/32": "198.51.100.1", "10.0.0.0/8": "127.0.0.1", "": "127.0.0.1"} {
		s := serve(t, t.TempDir(), "KEYFOB_BEHIND_PROXY=true", "KEYFOB_TRUSTED_PROXY="+trusted)
		r, err := http.NewRequest(http.MethodGet, "http://"+s.addr+"/v1/spaces", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["X-Forwarded-For"] = []string{"127.0.0.1, 198.51.100.1"}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v", resp.Status)
		}
		s.awaitLog(`"client":"`+want+`","problem":"unauthenticated"`, 1)
		s.stop()
	}
}
