package keyfob

import (
	"context"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
	"github.com/keyfob-dev/keyfob/token"
)

// editable is a store whose records somebody edits.
type editable struct {
	store.Store
	edit atomic.Pointer[func(*store.Found)]
}

func (e *editable) Version(ctx context.Context, space, id string) (store.Found, error) {
	found, err := e.Store.Version(ctx, space, id)
	if edit := e.edit.Load(); edit != nil && err == nil {
		(*edit)(&found)
	}
	return found, err
}

// withEditable runs a test on an Authority that has read the log for the first
// time, which forgets what was known before.
func withEditable(t *testing.T, test func(t *testing.T, a *Authority, st *editable)) {
	t.Helper()
	rk, err := CreateRootKey(filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		st := &editable{Store: memory.Open()}
		a, err := Open(t.Context(), Config{Store: st, RootKey: rk})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(context.Background())
		synctest.Wait()
		test(t, a, st)
	})
}

func issueRead(t *testing.T, a *Authority) Issued {
	t.Helper()
	k, err := a.Issue(t.Context(), APIKey{Subject: "alice", Scopes: []string{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// proved issues a key and has its secret proved.
func proved(t *testing.T, a *Authority) Issued {
	t.Helper()
	k := issueRead(t, a)
	wantReason(t, a, "the token", k.Secret.Reveal(), "ok")
	return k
}

func wantReason(t *testing.T, a *Authority, what, text, want string) {
	t.Helper()
	if _, err := a.Verify(t.Context(), text, Check{}); Reason(err) != want {
		t.Errorf("%s: Verify says %v, want %q", what, err, want)
	}
}

// checked ends a text with the checksum of a keyed token.
func checked(body string) string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var sum [6]byte
	v := crc32.ChecksumIEEE([]byte(body))
	for i := range sum {
		sum[5-i] = base62[v%62]
		v /= 62
	}
	return body + string(sum[:])
}

// A secret that was proved is not proved again; whatever differs from its token is
// judged as if nothing had been proved, and proves nothing.
func TestProvedToken(t *testing.T) { withEditable(t, testProvedToken) }

func testProvedToken(t *testing.T, a *Authority, _ *editable) {
	other, err := a.Spaces().Create(t.Context(), Space{Name: "other", Prefix: "default"})
	if err != nil {
		t.Fatal(err)
	}
	text := proved(t, a).Secret.Reveal()
	body := text[:len(text)-6]
	if checked(body) != text {
		t.Fatal("the test makes another checksum than keyfob")
	}
	otherSecret := token.New("default").Reveal()
	flipped := func(at int) string {
		c := text[at] ^ 0x20
		if text[at] <= '9' {
			c = '0' + (text[at]-'0'+1)%10
		}
		return text[:at] + string(c) + text[at+1:]
	}
	secretAt := len("default_") + 16
	cases := []struct{ what, text, want string }{
		{"another secret", checked(text[:secretAt] + otherSecret[secretAt:len(otherSecret)-6]), "unknown"},
		{"another prefix", checked("acme" + body[len("default"):]), "unknown"},
		{"a prefix of one more", checked("x" + body), "unknown"},
		{"a prefix of one less", checked(body[1:]), "unknown"},
		{"another id", checked(flipped(len("default_"))[:len(body)]), "unknown"},
		{"another checksum", body + otherSecret[len(otherSecret)-6:], "malformed"},
		{"a prefix in capitals", "DEFAULT" + text[len("default"):], "malformed"},
		{"another separator", "default-" + text[len("default_"):], "malformed"},
		{"no separator", "default" + text[len("default_"):], "malformed"},
		{"no prefix", text[len("default_"):], "malformed"},
		{"id and secret alone", text[len("default"):], "malformed"},
		{"one character more", text + "0", "malformed"},
		{"one character less", text[:len(text)-1], "malformed"},
		{"a space before it", " " + text, "malformed"},
		{"nothing", "", "malformed"},
	}
	for at := range body[secretAt:] {
		cases = append(cases, struct{ what, text, want string }{
			fmt.Sprintf("character %d of the secret", at), checked(flipped(secretAt + at)[:len(body)]), "unknown",
		})
	}
	for _, c := range cases {
		for range 2 {
			wantReason(t, a, c.what, c.text, c.want)
		}
		wantReason(t, a, "the token after "+c.what, text, "ok")
	}
	for range 2 {
		wantReason(t, a.In(other.Name), "another space", text, "unknown")
		wantReason(t, a, "the token after another space", text, "ok")
	}
}

// What does not match proves nothing, also where nothing was proved before.
func TestWrongSecretFirst(t *testing.T) {
	withEditable(t, func(t *testing.T, a *Authority, _ *editable) {
		text := issueRead(t, a).Secret.Reveal()
		end := len("default_") + 16
		other := token.New("default").Reveal()
		wrong := checked(text[:end] + other[end:len(other)-6])
		for range 3 {
			wantReason(t, a, "another secret", wrong, "unknown")
		}
		for range 2 {
			wantReason(t, a, "the token", text, "ok")
			wantReason(t, a, "another secret after it", wrong, "unknown")
		}
	})
}

// The proof belongs to what was known when it was made: what is read anew is
// proved anew.
func TestProofOfAChangedRecord(t *testing.T) { withEditable(t, testProofOfAChangedRecord) }

func testProofOfAChangedRecord(t *testing.T, a *Authority, st *editable) {
	for what, edit := range map[string]func(*store.Found){
		"subject": func(f *store.Found) { f.Credential.Subject = "mallory" },
		"prefix":  func(f *store.Found) { f.Version.Prefix = "acme" },
		"digest":  func(f *store.Found) { f.Version.Digest = make([]byte, 32) },
	} {
		k := proved(t, a)
		st.edit.Store(&edit)
		wantReason(t, a, what+" edited, and not read yet", k.Secret.Reveal(), "ok")
		if _, err := a.Suspend(t.Context(), k.Credential.ID, ""); err != nil {
			t.Fatal(err)
		}
		wantReason(t, a, what+" edited", k.Secret.Reveal(), "unknown")
		st.edit.Store(nil)
		if _, err := a.Resume(t.Context(), k.Credential.ID); err != nil {
			t.Fatal(err)
		}
		wantReason(t, a, what+" as it was", k.Secret.Reveal(), "ok")
	}
}

// After what is proved no digest is computed: the subkey that it needs is taken
// away. What was not proved needs it.
func TestProvedTokenNeedsNoDigest(t *testing.T) { withEditable(t, testProvedTokenNeedsNoDigest) }

func testProvedTokenNeedsNoDigest(t *testing.T, a *Authority, _ *editable) {
	k, notProved := proved(t, a), token.New("default").Reveal()
	keys := a.keys
	a.keys = &keyring{active: keys.active}
	defer func() { a.keys = keys }()
	wantReason(t, a, "proved", k.Secret.Reveal(), "ok")
	if _, err := a.Verify(t.Context(), notProved, Check{}); err == nil || !strings.Contains(err.Error(), "is not in the root key") {
		t.Errorf("not proved: %v; want an error of the root key", err)
	}
}

// What expires while the store is read is refused.
func TestExpiryDuringARead(t *testing.T) {
	withEditable(t, func(t *testing.T, a *Authority, st *editable) {
		k, err := a.Issue(t.Context(), APIKey{Subject: "alice", Expires: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		slow := func(*store.Found) { time.Sleep(time.Minute) }
		st.edit.Store(&slow)
		wantReason(t, a, "after a minute", k.Secret.Reveal(), "expired")
	})
}

// Whoever writes into the answer writes into no other one.
func TestAnswersShareNothing(t *testing.T) { withEditable(t, testAnswersShareNothing) }

func testAnswersShareNothing(t *testing.T, a *Authority, _ *editable) {
	for _, scopes := range [][]string{nil, {"a"}, {"a", "b"}, {"a", "b", "c"}} {
		k, err := a.Issue(t.Context(), APIKey{Subject: "alice", Scopes: scopes, Attributes: map[string]string{"team": "red"}})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c, err := a.Verify(t.Context(), k.Secret.Reveal(), Check{})
			if err != nil || !slices.Equal(c.Scopes, scopes) || c.Attributes["team"] != "red" || c.Versions[0].Number != 1 {
				t.Fatalf("%+v, %v", c, err)
			}
			for i := range c.Scopes {
				c.Scopes[i] = "owner"
			}
			c.Attributes["team"], c.Versions[0] = "blue", Version{}
			_ = append(c.Scopes, "owner")
		}
	}
}
