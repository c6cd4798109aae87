package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// authority signs certificates for 127.0.0.1.
type authority struct {
	*testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	ca := &authority{T: t}
	var err error
	if ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &ca.key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if ca.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return ca
}

func (ca *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// sign makes a certificate that is good from and until so long after now, and its
// key, both in PEM.
func (ca *authority) sign(from, until time.Duration) (cert, key []byte) {
	ca.Helper()
	ca.n++
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1 + ca.n), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca.cert, &private.PublicKey, ca.key)
	if err != nil {
		ca.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		ca.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})
}

// pair signs a certificate that is good for an hour.
func (ca *authority) pair() (cert, key []byte) { return ca.sign(-time.Hour, time.Hour) }

// write replaces a file, with a mode.
func write(t *testing.T, path string, text []byte, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path+".new", text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path+".new", mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLoadCertificateRefuses: each sort of a bad pair is named, and nothing of a
// key is.
func TestLoadCertificateRefuses(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.pair()
	otherCert, otherKey := ca.pair()
	expiredCert, expiredKey := ca.sign(-2*time.Hour, -time.Hour)
	futureCert, futureKey := ca.sign(time.Hour, 2*time.Hour)
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	brokenKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	oldEncrypted := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte("x")})
	for name, c := range map[string]struct {
		cert, key []byte
		mode      os.FileMode
		says      string // empty: it is good
	}{
		"good":                    {cert, key, 0o600, ""},
		"good for a group":        {cert, key, 0o640, ""},
		"a chain":                 {slicesOf(cert, otherCert), key, 0o600, ""},
		"a key behind others":     {cert, slicesOf(cert, key), 0o600, ""},
		"a chain turned round":    {slicesOf(otherCert, cert), key, 0o600, "the first in its file"},
		"another key":             {cert, otherKey, 0o600, "is not that of the certificate"},
		"a key for a certificate": {key, key, 0o600, "cert.pem holds no certificate in PEM"},
		"a certificate for a key": {cert, cert, 0o600, "key.pem holds no private key in PEM"},
		"an empty certificate":    {nil, key, 0o600, "cert.pem holds no certificate in PEM"},
		"an empty key":            {cert, nil, 0o600, "key.pem holds no private key in PEM"},
		"half a certificate":      {cert[:len(cert)/2], key, 0o600, "holds no certificate"},
		"half a key":              {cert, key[:len(key)/2], 0o600, "holds no private key"},
		"broken inside":           {broken, key, 0o600, "cannot be read"},
		"a broken key":            {cert, brokenKey, 0o600, "is not that of the certificate"},
		"an encrypted key":        {cert, encrypted, 0o600, "passphrase"},
		"an old encrypted key":    {cert, oldEncrypted, 0o600, "passphrase"},
		"expired":                 {expiredCert, expiredKey, 0o600, "has expired, on 20"},
		"not yet":                 {futureCert, futureKey, 0o600, "clock"},
		"too long":                {slicesOf(cert, make([]byte, maxPEM)), key, 0o600, "bytes"},
		"a key for everybody":     {cert, key, 0o644, "chmod 0600"},
		"a key to be changed":     {cert, key, 0o620, "chmod 0600"},
	} {
		dir := t.TempDir()
		certFile := write(t, filepath.Join(dir, "cert.pem"), c.cert, 0o644)
		keyFile := write(t, filepath.Join(dir, "key.pem"), c.key, c.mode)
		_, err := LoadCertificate(certFile, keyFile)
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want an error that says %q", name, err, c.says)
		}
		if err != nil && len(c.key) > 100 && strings.Contains(err.Error(), string(c.key[40:60])) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	dir := t.TempDir()
	certFile := write(t, filepath.Join(dir, "cert.pem"), cert, 0o644)
	keyFile := write(t, filepath.Join(dir, "key.pem"), key, 0o600)
	for what, c := range map[string][3]string{
		"no certificate": {filepath.Join(dir, "none"), keyFile, "no such file"},
		"no key":         {certFile, filepath.Join(dir, "none"), "no such file"},
		"a directory":    {dir, keyFile, "not a regular file"},
		"a device":       {certFile, os.DevNull, "not a regular file"},
	} {
		if _, err := LoadCertificate(c[0], c[1]); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func slicesOf(texts ...[]byte) []byte { return bytes.Join(texts, nil) }

// secure is a server that speaks TLS.
type secure struct {
	*env
	ca                *authority
	cert              *Certificate
	certFile, keyFile string
	https             *http.Client
	base              string
}

func newSecure(t *testing.T, limits Limits) *secure {
	t.Helper()
	s := &secure{env: newEnv(t, limits), ca: newAuthority(t)}
	dir := t.TempDir()
	cert, key := s.ca.pair()
	s.certFile = write(t, filepath.Join(dir, "cert.pem"), cert, 0o644)
	s.keyFile = write(t, filepath.Join(dir, "key.pem"), key, 0o600)
	var err error
	s.cert, err = LoadCertificate(s.certFile, s.keyFile)
	s.must(err)
	srv, err := New(Config{Authority: s.a, Limits: limits, Logger: slog.New(slog.NewJSONHandler(s.log, nil))})
	s.must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- srv.Serve(ctx, TLS(l, s.cert)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	s.base = "https://" + l.Addr().String()
	s.https = s.client(&tls.Config{})
	return s
}

// client is one with connections of its own.
func (s *secure) client(config *tls.Config) *http.Client {
	config.RootCAs = s.ca.pool()
	tr := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	s.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// serial is the serial number of the certificate that a new connection gets.
func (s *secure) serial() int64 {
	s.Helper()
	c, err := tls.Dial("tcp", s.base[len("https://"):], &tls.Config{RootCAs: s.ca.pool()})
	s.must(err)
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// TestHTTPS: the API over TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, and nothing older
// and nothing plain.
func TestHTTPS(t *testing.T) {
	s := newSecure(t, Limits{})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, proto := range []string{"HTTP/2.0", "HTTP/1.1"} {
			client := s.client(&tls.Config{MinVersion: version, MaxVersion: version})
			if proto == "HTTP/1.1" {
				client.Transport.(*http.Transport).ForceAttemptHTTP2 = false
			}
			r, err := http.NewRequest("POST", s.base+"/v1/spaces/acme/apikeys", strings.NewReader(`{"subject":"alice"}`))
			s.must(err)
			r.Header.Set("Authorization", "Bearer "+s.owner)
			r.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(r)
			s.must(err)
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 201 || resp.Proto != proto || resp.TLS.Version != version || !strings.Contains(string(text), `"token":"acme_`) {
				t.Errorf("%s over TLS %x: %v, %s over TLS %x, %v", proto, version, resp.Status, resp.Proto, resp.TLS.Version, err)
			}
		}
	}
	if _, err := s.client(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Get(s.base + "/healthz"); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := http.Get(s.base + "/healthz"); err == nil {
		t.Error("a client that does not know the authority is satisfied")
	}
	resp, err := http.Get("http" + s.base[len("https"):] + "/v1/spaces")
	s.must(err)
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("plain HTTP: %v", resp.Status)
	}
	resp, err = s.https.Get(s.base + "/v1/spaces")
	s.must(err)
	defer resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("over TLS, without a token: %v", resp.Status)
	}
}

// TestTLSConnectionsAreBounded: who does not end the handshake has a place, and
// loses it in time.
func TestTLSConnectionsAreBounded(t *testing.T) {
	s := newSecure(t, Limits{Connections: 1, Header: 300 * time.Millisecond})
	idle, err := net.Dial("tcp", s.base[len("https://"):])
	s.must(err)
	defer idle.Close()
	start := time.Now()
	resp, err := s.https.Get(s.base + "/healthz")
	s.must(err)
	resp.Body.Close()
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("a second connection was served after %v", took)
	}
}

// TestReload: a new pair is taken, and a bad one is not; nobody is refused
// meanwhile.
func TestReload(t *testing.T) {
	s := newSecure(t, Limits{})
	first := s.serial()
	if changed, err := s.cert.Refresh(); changed || err != nil {
		t.Errorf("nothing has changed: %v, %v", changed, err)
	}
	cert, key := s.ca.pair()
	write(t, s.certFile, cert, 0o644) // half of the pair
	for range 2 {                     // and it is told each time
		if changed, err := s.cert.Refresh(); changed || err == nil {
			t.Errorf("half of a pair: %v, %v", changed, err)
		}
	}
	if got := s.serial(); got != first {
		t.Errorf("with half of a pair, the certificate is number %d", got)
	}
	write(t, s.keyFile, key, 0o600)
	if changed, err := s.cert.Refresh(); !changed || err != nil {
		t.Errorf("a new pair: %v, %v", changed, err)
	}
	second := s.serial()
	if second == first || s.cert.Leaf().SerialNumber.Int64() != second {
		t.Errorf("after a reload the certificate is number %d, before %d", second, first)
	}
	expired, expiredKey := s.ca.sign(-2*time.Hour, -time.Hour)
	for what, change := range map[string]func(){
		"expired":    func() { write(t, s.certFile, expired, 0o644); write(t, s.keyFile, expiredKey, 0o600) },
		"gone":       func() { os.Remove(s.certFile) },
		"cut short":  func() { write(t, s.certFile, cert[:200], 0o644) },
		"open to be": func() { write(t, s.certFile, cert, 0o644); write(t, s.keyFile, key, 0o644) },
	} {
		change()
		if changed, err := s.cert.Refresh(); changed || err == nil {
			t.Errorf("%s: %v, %v", what, changed, err)
		}
		if got := s.serial(); got != second {
			t.Errorf("%s: the certificate is number %d", what, got)
		}
		write(t, s.certFile, cert, 0o644)
		write(t, s.keyFile, key, 0o600)
	}
	if changed, err := s.cert.Refresh(); changed || err != nil {
		t.Errorf("as it was: %v, %v", changed, err)
	}
	// A change that leaves size and time as they are is seen by Reload.
	cert, key = s.ca.pair()
	write(t, s.certFile, cert, 0o644)
	write(t, s.keyFile, key, 0o600)
	s.cert.seen = s.cert.state()
	if changed, err := s.cert.Refresh(); changed || err != nil {
		t.Errorf("this test is pointless: Refresh sees it: %v", err)
	}
	if changed, err := s.cert.Reload(); !changed || err != nil {
		t.Errorf("Reload: %v, %v", changed, err)
	}
}

// TestReloadUnderLoad: while the files change, in any order, no connection is
// refused, and no request on one that is open.
func TestReloadUnderLoad(t *testing.T) {
	s := newSecure(t, Limits{})
	stop := make(chan bool)
	var wg sync.WaitGroup
	var mu sync.Mutex
	asked := 0
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				client := s.client(&tls.Config{})
				for range 3 {
					resp, err := client.Get(s.base + "/healthz")
					if err != nil {
						t.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					mu.Lock()
					asked++
					mu.Unlock()
				}
				client.CloseIdleConnections()
			}
		})
	}
	reloads := 0
	for i := range 60 {
		cert, key := s.ca.pair()
		steps := []func(){
			func() { write(t, s.certFile, cert, 0o644) }, func() { write(t, s.keyFile, key, 0o600) },
			func() {
				os.WriteFile(s.certFile, cert[:100], 0o644)
				s.cert.Refresh()
				os.WriteFile(s.certFile, cert, 0o644)
			},
		}
		for n := range steps {
			steps[(n+i)%len(steps)]()
			if changed, _ := s.cert.Refresh(); changed {
				reloads++
			}
		}
	}
	close(stop)
	wg.Wait()
	if reloads < 50 || asked < 50 {
		t.Errorf("%d reloads, %d requests", reloads, asked)
	}
	t.Logf("%d requests on new connections during %d reloads, none refused", asked, reloads)
}
