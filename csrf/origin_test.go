package csrf_test

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

// from sends a protected request that a host got, over TLS or not, with an Origin.
func (a *app) from(b browser, origin, host string, secure bool) error {
	r := b.post("/")
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Set("Origin", origin)
	r.Host, r.TLS = host, nil
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	a.send(r)
	return a.err
}

// A request's own origin is of its connection and its Host, whole and in one spelling.
func TestOwnOrigin(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	long := strings.Repeat("a", 63)
	for _, c := range []struct {
		origin, host string
		tls          bool
		own          bool
	}{
		{"https://app.example", "app.example", true, true},
		{"http://app.example", "app.example", false, true},
		{"https://app.example:8443", "app.example:8443", true, true},
		{"http://localhost:8080", "localhost:8080", false, true},
		{"https://127.0.0.1:8443", "127.0.0.1:8443", true, true},
		{"https://[::1]", "[::1]", true, true},
		{"https://[2001:db8::1]:8443", "[2001:db8::1]:8443", true, true},
		{"https://xn--bcher-kva.example", "xn--bcher-kva.example", true, true},
		{"https://my_app.example", "my_app.example", true, true},
		{"https://app.example:65535", "app.example:65535", true, true},
		{"https://app.example:80", "app.example:80", true, true}, // the other scheme's
		{"http://app.example:443", "app.example:443", false, true},

		// Another scheme, host or port.
		{"http://app.example", "app.example", true, false},
		{"https://app.example", "app.example", false, false},
		{"https://app.example:8443", "app.example", true, false},
		{"https://app.example", "app.example:8443", true, false},
		{"https://app.example:8444", "app.example:8443", true, false},
		{"https://evil.example", "app.example", true, false},
		{"https://[::1]", "[::2]", true, false},

		// What no browser sends, even where Host is spelled in the same way.
		{"https://app.example:443", "app.example:443", true, false},
		{"https://app.example", "app.example:443", true, false},
		{"http://app.example:80", "app.example:80", false, false},
		{"https://app.example.", "app.example.", true, false},
		{"https://.app.example", ".app.example", true, false},
		{"https://app..example", "app..example", true, false},
		{"https://APP.example", "APP.example", true, false},
		{"https://app.example", "APP.example", true, false},
		{"https://bücher.example", "bücher.example", true, false},
		{"https://evil@app.example", "evil@app.example", true, false},
		{"https://evil@app.example", "app.example", true, false},
		{"https://evil:x@app.example", "evil:x@app.example", true, false},
		{"https://app.example/", "app.example/", true, false},
		{"https://app.example?x", "app.example?x", true, false},
		{"https://app.example#x", "app.example#x", true, false},
		{"https://app.example:", "app.example:", true, false},
		{"https://app.example:0", "app.example:0", true, false},
		{"https://app.example:08443", "app.example:08443", true, false},
		{"https://app.example:+8443", "app.example:+8443", true, false},
		{"https://app.example:65536", "app.example:65536", true, false},
		{"https://app.example:x", "app.example:x", true, false},
		{"https://::1", "::1", true, false},
		{"https://[::1", "[::1", true, false},
		{"https://::1]", "::1]", true, false},
		{"https://[2001:db8:::8443", "[2001:db8:::8443", true, false},
		{"https://[::1]:443", "[::1]:443", true, false},
		{"https://[0::1]", "[0::1]", true, false},
		{"https://[2001:DB8::1]", "[2001:DB8::1]", true, false},
		{"https://[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", true, false},
		{"https://[fe80::1%eth0]", "[fe80::1%eth0]", true, false},
		{"https://[127.0.0.1]", "[127.0.0.1]", true, false},
		{"https://app example", "app example", true, false},
		{"https://app%2eexample", "app%2eexample", true, false},
		{"https://", "", true, false},
		{"https://:8443", ":8443", true, false},
		{"null", "null", true, false},
		{"", "", true, false},
		{"https://" + strings.Repeat(long+".", 3) + long[:61], strings.Repeat(long+".", 3) + long[:61], true, true},
		{"https://" + strings.Repeat(long+".", 3) + long[:62], strings.Repeat(long+".", 3) + long[:62], true, false},
	} {
		err := a.from(b, c.origin, c.host, c.tls)
		if (err == nil) != c.own || err != nil && !errors.Is(err, csrf.ErrCrossOrigin) {
			t.Errorf("Origin %q, Host %q, TLS %v: %v", c.origin, c.host, c.tls, err)
		}
	}
}

// With Origins, those count, and nothing of the request does.
func TestOrigins(t *testing.T) {
	a := newApp(t, csrf.Protection{Origins: []string{"https://app.example", "https://app.example:8443", "http://localhost:8080"}})
	b := a.visit(t, browser{session: "s1"})
	for origin, own := range map[string]bool{
		"https://app.example": true, "https://app.example:8443": true, "http://localhost:8080": true,
		"http://app.example": false, "https://app.example:443": false, "https://APP.example": false, "https://x@app.example": false,
		"https://backend:9000": false, "http://backend:9000": false, "https://localhost:8080": false, "null": false, "": false,
		"https://app.example:8080": false,
	} {
		for _, secure := range []bool{true, false} {
			if err := a.from(b, origin, "backend:9000", secure); (err == nil) != own {
				t.Errorf("Origin %q: %v", origin, err)
			}
		}
	}
}

// No header of a proxy's is believed.
func TestNoForwarded(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	b := a.visit(t, browser{session: "s1"})
	r := b.post("/")
	r.TLS, r.Host = nil, "backend"
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("X-Forwarded-Host", "app.example")
	r.Header.Set("Forwarded", "proto=https;host=app.example")
	r.Header.Set("Referer", "https://app.example/form")
	if a.send(r); !errors.Is(a.err, csrf.ErrCrossOrigin) {
		t.Error(a.err)
	}
}

// Where neither header is there, Referer is not looked at.
func TestNoReferer(t *testing.T) {
	a := newApp(t, csrf.Protection{})
	r := a.visit(t, browser{session: "s1"}).post("/")
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Del("Origin")
	r.Header.Set("Referer", "https://app.example/form")
	if a.send(r); !errors.Is(a.err, csrf.ErrCrossOrigin) {
		t.Error(a.err)
	}
}

// FuzzOrigin gives Protect any Origin and Host: what it accepts is what url.Parse takes
// apart into scheme and host alone, and is put together in the same way.
func FuzzOrigin(f *testing.F) {
	for _, host := range []string{
		"app.example", "app.example:8443", "app.example:443", "app.example:80", "APP.example", "app.example.", "evil@app.example", "[::1]:8443",
		"[::1]", "[::ffff:1.2.3.4]", "[fe80::1%25eth0]", "127.0.0.1", "", "a..b", "app.example/", "app.example?", "app.example:0", "bücher.example",
	} {
		f.Add("https://"+host, host, true)
		f.Add("http://"+host, host, false)
		f.Add("https://app.example", host, true)
		f.Add("HTTPS://"+host, host, true)
	}
	a := newApp(f, csrf.Protection{})
	b := a.visit(f, browser{session: "s1"})
	f.Fuzz(func(t *testing.T, origin, host string, secure bool) {
		if got, want := a.from(b, origin, host, secure) == nil, isOrigin(origin, host, secure); got != want {
			t.Fatalf("Origin %q, Host %q, TLS %v: %v", origin, host, secure, got)
		}
	})
}

// isOrigin is what FuzzOrigin holds Protect against.
func isOrigin(origin, host string, secure bool) bool {
	u, err := url.Parse(origin)
	scheme, usual := "http", "80"
	if secure {
		scheme, usual = "https", "443"
	}
	if err != nil || *u != (url.URL{Scheme: scheme, Host: host}) || origin != scheme+"://"+host || u.Port() == usual {
		return false
	}
	name, port := u.Hostname(), u.Port()
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != port) || strings.HasSuffix(host, ":") {
		return false
	}
	if strings.HasPrefix(host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.String() == name && ip.Is6() && !ip.Is4In6() && ip.Zone() == ""
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253
}
