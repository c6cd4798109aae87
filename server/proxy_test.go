package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// TestClientOf: the address of the client is what trusted proxies say, and
// nobody else's word.
func TestClientOf(t *testing.T) {
	s := &Server{proxies: prefixes("10.0.0.0/8", "fd00::/8", "192.0.2.7/32")}
	for name, c := range map[string]struct {
		peer  string
		given []string
		want  string
	}{
		"no header":                        {"10.0.0.1:5", nil, "10.0.0.1"},
		"a stranger's word":                {"203.0.113.9:5", []string{"198.51.100.1"}, "203.0.113.9"},
		"a neighbour of a proxy":           {"192.0.2.8:5", []string{"198.51.100.1"}, "192.0.2.8"},
		"one hop":                          {"10.0.0.1:5", []string{"198.51.100.1"}, "198.51.100.1"},
		"spoofed to the left":              {"10.0.0.1:5", []string{"127.0.0.1, 10.9.9.9,198.51.100.1"}, "198.51.100.1"},
		"spoofed behind a client":          {"10.0.0.1:5", []string{"127.0.0.1, 198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		"nonsense to the left":             {"10.0.0.1:5", []string{"<script>, , 198.51.100.1"}, "198.51.100.1"},
		"two headers":                      {"10.0.0.1:5", []string{"127.0.0.1", "198.51.100.1"}, "198.51.100.1"},
		"two headers, the last a proxy's":  {"10.0.0.1:5", []string{"127.0.0.1, 198.51.100.1", "10.2.2.2"}, "198.51.100.1"},
		"two headers, the last empty":      {"10.0.0.1:5", []string{"198.51.100.1", ""}, "10.0.0.1"},
		"a chain of proxies":               {"10.0.0.1:5", []string{"198.51.100.1, 192.0.2.7, fd00::1"}, "198.51.100.1"},
		"a proxy is the client":            {"10.0.0.1:5", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		"tabs and spaces":                  {"10.0.0.1:5", []string{" \t198.51.100.1\t "}, "198.51.100.1"},
		"IPv6":                             {"[fd00::1]:5", []string{"2001:db8::1"}, "2001:db8::1"},
		"a mapped peer":                    {"[::ffff:10.0.0.1]:5", []string{"198.51.100.1"}, "198.51.100.1"},
		"a mapped stranger":                {"[::ffff:203.0.113.9]:5", []string{"198.51.100.1"}, "203.0.113.9"},
		"a mapped client":                  {"10.0.0.1:5", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"a mapped proxy":                   {"10.0.0.1:5", []string{"198.51.100.1, ::ffff:10.2.2.2"}, "198.51.100.1"},
		"a zone":                           {"10.0.0.1:5", []string{"fe80::1%eth0"}, "10.0.0.1"},
		"a zone with text":                 {"10.0.0.1:5", []string{"fe80::1%\"><script>"}, "10.0.0.1"},
		"a peer with a zone":               {"[fd00::1%eth0]:5", []string{"198.51.100.1"}, "fd00::1%eth0"},
		"a port":                           {"10.0.0.1:5", []string{"198.51.100.1:80"}, "10.0.0.1"},
		"brackets":                         {"10.0.0.1:5", []string{"[2001:db8::1]"}, "10.0.0.1"},
		"a name":                           {"10.0.0.1:5", []string{"localhost"}, "10.0.0.1"},
		"unknown":                          {"10.0.0.1:5", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"a prefix":                         {"10.0.0.1:5", []string{"198.51.100.0/24"}, "10.0.0.1"},
		"leading zeros":                    {"10.0.0.1:5", []string{"198.051.100.1"}, "10.0.0.1"},
		"nothing":                          {"10.0.0.1:5", []string{""}, "10.0.0.1"},
		"a comma behind":                   {"10.0.0.1:5", []string{"198.51.100.1,"}, "10.0.0.1"},
		"malformed behind a proxy":         {"10.0.0.1:5", []string{"198.51.100.1, x, 10.2.2.2"}, "10.0.0.1"},
		"another no-break space":           {"10.0.0.1:5", []string{"\u00a0198.51.100.1"}, "10.0.0.1"},
		"a socket":                         {"@", []string{"198.51.100.1"}, "invalid IP"},
		"no peer":                          {"", nil, "invalid IP"},
		"100 kB of commas":                 {"10.0.0.1:5", []string{strings.Repeat(",", 100_000)}, "10.0.0.1"},
		"100 kB of commas before a client": {"10.0.0.1:5", []string{strings.Repeat(",", 100_000) + "198.51.100.1"}, "198.51.100.1"},
		"100 kB of proxies":                {"10.0.0.1:5", []string{strings.Repeat("10.2.2.2,", 11_000) + "10.2.2.2"}, "10.2.2.2"},
		"100 kB of one word":               {"10.0.0.1:5", []string{strings.Repeat("1", 100_000)}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{forwardedFor: c.given}}
		start := time.Now()
		if got := s.clientOf(r).String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// FuzzClientOf: whatever the header says, the client is the peer or an address
// without a zone that stands in it as an element of its own.
func FuzzClientOf(f *testing.F) {
	for _, seed := range []string{"", ",", "198.51.100.1", "10.0.0.1, 198.51.100.1", "::ffff:10.0.0.1", "fe80::1%eth0", "x, 10.2.2.2", "198.51.100.1:80", "[::1]"} {
		f.Add(seed)
	}
	s := &Server{proxies: prefixes("10.0.0.0/8")}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, given string) {
		got := s.clientOf(&http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{forwardedFor: {given}}})
		if got == peer {
			return
		}
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q gives %v", given, got)
		}
		elements := strings.Split(given, ",")
		for i := len(elements) - 1; i >= 0; i-- {
			addr, err := netip.ParseAddr(strings.Trim(elements[i], " \t"))
			if err != nil {
				t.Fatalf("%q gives %v, which is to the left of what is no address", given, got)
			}
			if addr.Unmap() == got {
				return
			}
			if !s.isProxy(addr.Unmap()) {
				t.Fatalf("%q gives %v, which is to the left of a client", given, got)
			}
		}
		t.Fatalf("%q gives %v, which is not in it", given, got)
	})
}

// TestClientInTheLog: over real connections, the log has the address that a
// trusted proxy says, and of others the peer's; no answer depends on it.
func TestClientInTheLog(t *testing.T) {
	e := newEnv(t, Limits{})
	for trusted, want := range map[string]string{"127.0.0.0/8": "198.51.100.1", "10.0.0.0/8": "127.0.0.1"} {
		s, err := New(Config{Authority: e.a, Logger: slog.New(slog.NewJSONHandler(e.log, nil)), TrustedProxies: prefixes(trusted)})
		e.must(err)
		h := httptest.NewServer(s.Handler())
		defer h.Close()
		r, err := http.NewRequest("GET", h.URL+"/v1/spaces", nil)
		e.must(err)
		r.Header[forwardedFor] = []string{"127.0.0.1", "198.51.100.1"}
		resp, err := h.Client().Do(r)
		e.must(err)
		resp.Body.Close()
		if got := e.log.of(t, resp.Header.Get(RequestIDHeader))["client"]; resp.StatusCode != 401 || got != want {
			t.Errorf("with the proxies %s: %v, client %v, want %s", trusted, resp.Status, got, want)
		}
	}
	a := e.askWith(e.local, "", "GET", "/v1/spaces", nil, func(r *http.Request) { r.Header[forwardedFor] = []string{"198.51.100.1"} })
	if line := e.log.of(t, a.header.Get(RequestIDHeader)); line["client"] != nil {
		t.Errorf("a request over the socket comes from %v", line["client"])
	}
}

// TestTrustedProxies: New refuses what would trust nobody or everybody.
func TestTrustedProxies(t *testing.T) {
	e := newEnv(t, Limits{})
	for text, says := range map[string]string{"10.0.0.1/8": "give 10.0.0.0/8", "0.0.0.0/0": "everybody", "::/0": "everybody", "::ffff:10.0.0.0/104": "IPv4"} {
		if _, err := New(Config{Authority: e.a, TrustedProxies: prefixes("10.0.0.0/8", text)}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := New(Config{Authority: e.a, TrustedProxies: make([]netip.Prefix, 1)}); err == nil {
		t.Error("a prefix of nothing is taken")
	}
}
