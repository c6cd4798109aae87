package session_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/keyfob-dev/keyfob/session"
)

// A stolen copy of the database signs nobody in: neither does any text in it, nor
// any part of one that is as long as a secret, under the id of a live session, with
// the checksum that belongs to it; nor a digest, in the usual ways to write one.
func TestDump(t *testing.T) {
	for _, remote := range []bool{false, true} {
		p := newApp(t, "sqlite", remote, session.Config{})
		b := p.browser()
		b.get("/in?subject=alice&remembered")
		p.handle("/theme", func(w http.ResponseWriter, r *http.Request) { p.check(theme.Set(w, r, "dark")) })
		b.get("/theme")
		version := b.session().Versions[0].ID
		var dump []byte
		files, err := filepath.Glob(p.path + "*")
		p.must(err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			p.must(err)
			dump = append(dump, text...)
		}
		if !bytes.Contains(dump, []byte(version)) {
			t.Fatal("the dump does not hold the session")
		}
		tried, in := p.tryDump(dump, version)
		if in != 0 || tried < 100 {
			t.Errorf("%d of %d cookies made of the dump sign in", in, tried)
		}
		t.Logf("%d cookies made of %d bytes", tried, len(dump))
		secret := b.cookie()[len("default_")+16:][:43]
		if _, in := p.tryDump(append(dump, "\x00"+secret+"\x00"...), version); in == 0 {
			t.Error("a dump with the secret in it signs nobody in: this test finds nothing")
		}
	}
}

var (
	words  = regexp.MustCompile(`[0-9A-Za-z_]{20,}`)
	binary = 32 // bytes of a digest
)

// tryDump tries cookies made of a dump, and returns how many, and how many are good.
func (p *app) tryDump(dump []byte, version string) (tried, in int) {
	p.Helper()
	candidates := map[string]bool{}
	for _, word := range words.FindAll(dump, -1) {
		if len(word) <= 98 {
			candidates[string(word)] = true
		}
		for i := 0; i+43 <= len(word) && i < 400; i++ {
			candidates[token("default_"+version+string(word[i:i+43]))] = true
		}
	}
	at := bytes.Index(dump, []byte(version)) // its record has the digest
	for i := max(0, at-200); i+binary <= min(len(dump), at+200); i++ {
		digest := dump[i : i+binary]
		candidates[token("default_"+version+base64.RawURLEncoding.EncodeToString(digest))] = true
		candidates[token("default_"+version+hex.EncodeToString(digest)[:43])] = true
	}
	h := session.New(p.verbs, session.Config{Now: p.clock.Now}).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if session.Binding(r) != "" {
			in++
		}
	}))
	for value := range candidates {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookieName+"="+value)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	return len(candidates), in
}

// token adds its checksum to what may be one.
func token(body string) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var sum [6]byte
	v := crc32.ChecksumIEEE([]byte(body))
	for i := range sum {
		sum[5-i] = base62[v%62]
		v /= 62
	}
	return body + string(sum[:])
}
