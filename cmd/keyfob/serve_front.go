package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/server"
)

// A front is how a server is reached over the network: its address, and what
// stands between it and its clients.
type front struct {
	listen            listenValue
	certFile, keyFile *string
	behindProxy       switchValue
	proxies           proxiesValue

	certificate *server.Certificate // nil: plain HTTP
}

// addFront adds the flags that say how a server is reached.
func addFront(cmd *cobra.Command) *front {
	f := &front{listen: listenValue{text: "127.0.0.1:7420"}}
	flags := cmd.Flags()
	flags.Var(&f.listen, "listen", "address to listen at; port 0 takes any that is free")
	f.certFile = addText(cmd, "tls-cert", "FILE", "", "certificate chain in PEM, the server's own first")
	f.keyFile = addText(cmd, "tls-key", "FILE", "", "its private key in PEM; nobody but its owner and group may read it")
	flags.Var(&f.behindProxy, "behind-proxy", "a proxy in front speaks TLS with clients")
	flags.Lookup("behind-proxy").NoOptDefVal = "true"
	flags.Var(&f.proxies, "trusted-proxy", "take the client's address from this proxy's X-Forwarded-For; may be given many times, or several with commas")
	fromEnv(flags, "listen", "KEYFOB_LISTEN")
	fromEnv(flags, "tls-cert", "KEYFOB_TLS_CERT")
	fromEnv(flags, "tls-key", "KEYFOB_TLS_KEY")
	fromEnv(flags, "behind-proxy", "KEYFOB_BEHIND_PROXY")
	fromEnv(flags, "trusted-proxy", "KEYFOB_TRUSTED_PROXY")
	return f
}

// check refuses flags that do not go together, and reads the certificate.
func (f *front) check() (err error) {
	switch {
	case *f.certFile != "" && *f.keyFile == "":
		return wrong("--tls-cert names a certificate, and nothing its key; give --tls-key as well")
	case *f.certFile == "" && *f.keyFile != "":
		return wrong("--tls-key names a key, and nothing its certificate; give --tls-cert as well")
	case len(f.proxies) > 0 && !bool(f.behindProxy):
		return wrong("--trusted-proxy is for a server behind a proxy; add --behind-proxy, or leave it out")
	case *f.certFile == "" && !bool(f.behindProxy) && !isLoopback(f.listen.host()):
		return f.tooOpen()
	case *f.certFile == "":
		return nil
	}
	if f.certificate, err = server.LoadCertificate(*f.certFile, *f.keyFile); err != nil {
		return wrong("%v; --tls-cert and --tls-key name the files", err)
	}
	return nil
}

func (f *front) tooOpen() error {
	return wrong("other machines can reach %s, and tokens could be read on their way there; give --tls-cert and --tls-key, or --behind-proxy where a proxy speaks TLS, or listen at 127.0.0.1 or [::1]", f.listen.text)
}

func (f *front) scheme() string {
	if f.certificate != nil {
		return "https"
	}
	return "http"
}

// url is where a client on this machine finds the server. In TLS that is by a name
// that the certificate has.
func (f *front) url(at net.Addr) string {
	host, port, _ := net.SplitHostPort(at.String())
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if f.certificate != nil {
		leaf := f.certificate.Leaf()
		switch {
		case leaf.VerifyHostname(host) == nil:
		case len(leaf.DNSNames) > 0 && !strings.HasPrefix(leaf.DNSNames[0], "*"):
			host = leaf.DNSNames[0]
		case len(leaf.IPAddresses) > 0:
			host = leaf.IPAddresses[0].String()
		}
	}
	return f.scheme() + "://" + net.JoinHostPort(host, port)
}

// openPort begins to listen at the address. It comes first, so that a port in
// use is found before anything is made.
func (s *serving) openPort() (net.Listener, error) {
	network := "tcp"
	if ip, err := netip.ParseAddr(s.listen.host()); err == nil && ip.Is4() {
		network = "tcp4" // or 0.0.0.0 would be [::] too
	}
	l, err := net.Listen(network, s.listen.text)
	if err == nil {
		tcp, ok := l.Addr().(*net.TCPAddr)
		if plain := s.certificate == nil && !bool(s.behindProxy); plain && (!ok || !tcp.IP.IsLoopback()) {
			l.Close()
			return nil, s.tooOpen() // what localhost means here
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

// certificatePoll is how often the files of a certificate are looked at.
const certificatePoll = 2 * time.Second

// watchCertificate reloads a certificate when its files change, and on SIGHUP,
// until ctx ends.
func watchCertificate(ctx context.Context, c *server.Certificate, log *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	tick := time.NewTicker(certificatePoll)
	defer tick.Stop()
	told := "" // of what is wrong; a look that finds the same is silent
	for {
		var changed, asked bool
		var err error
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			asked = true
			changed, err = c.Reload()
		case <-tick.C:
			changed, err = c.Refresh()
		}
		switch {
		case err != nil && (asked || err.Error() != told):
			log.Warn("the certificate was not reloaded, and the one before stays in use", "error", err.Error())
		case err == nil && changed:
			log.Info("the certificate was reloaded", "until", c.Leaf().NotAfter)
		case err == nil && asked:
			log.Info("the certificate is the same as before", "until", c.Leaf().NotAfter)
		}
		told = ""
		if err != nil {
			told = err.Error()
		}
	}
}

// listenValue is a flag for an address to listen at.
type listenValue struct{ text string }

func (v *listenValue) String() string { return v.text }
func (v *listenValue) Type() string   { return "ADDRESS" }

func (v *listenValue) host() string {
	host, _, _ := net.SplitHostPort(v.text) // which Set has done before
	return host
}

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
	v.text = text
	return nil
}

// switchValue is a flag that is on or off, and may stand in a variable.
type switchValue bool

func (v *switchValue) String() string { return strconv.FormatBool(bool(*v)) }
func (v *switchValue) Type() string   { return "bool" }

func (v *switchValue) Set(text string) error {
	if text != "true" && text != "false" {
		return errors.New("is a switch and takes no value but true and false")
	}
	*v = text == "true"
	return nil
}

// proxiesValue is a flag for the addresses of proxies.
type proxiesValue []netip.Prefix

func (v *proxiesValue) String() string { return "" }
func (v *proxiesValue) Type() string   { return "CIDR" }

// Set repeats no text that is not an address: it may be a secret that landed in
// the wrong place.
func (v *proxiesValue) Set(text string) error {
	var all []netip.Prefix
	for one := range strings.SplitSeq(text, ",") {
		one = strings.TrimSpace(one)
		if addr, err := netip.ParseAddr(one); err == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			return fmt.Errorf("is an address without a length; for that one alone give %v/%d", addr, addr.BitLen())
		}
		p, err := netip.ParsePrefix(one)
		switch {
		case err != nil:
			return errors.New("is not an address with the length of its network; give it as 10.0.0.0/24 or fd00::/64")
		case p.Addr().Is4In6():
			return errors.New("is an IPv4 address written as one of IPv6; give it as 10.0.0.0/24")
		case p.Bits() == 0:
			return errors.New("trusts everybody; give the addresses of your proxies alone")
		case p != p.Masked():
			return fmt.Errorf("has bits set behind the length of its network; give %v, or %v/%d", p.Masked(), p.Addr(), p.Addr().BitLen())
		}
		all = append(all, p)
	}
	*v = append(*v, all...)
	return nil
}
