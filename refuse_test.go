package keyfob_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
	"github.com/keyfob-dev/keyfob/store/memory"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// withChecksum appends the checksum that belongs to the text, as a forger would.
func withChecksum(body string) string {
	n := crc32.ChecksumIEEE([]byte(body))
	sum := []byte("000000")
	for i := 5; i >= 0; i-- {
		sum[i] = base62[n%62]
		n /= 62
	}
	return body + string(sum)
}

func TestVerifyRefusesForgeries(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		createSpace(t, a, "acme", "acme_live")
		createSpace(t, a, "twin", "default") // the prefix of another space
		tok := issue(t, a, keyfob.APIKey{}).Secret.Reveal()
		other := issue(t, a, keyfob.APIKey{}).Secret.Reveal()
		body := tok[:len(tok)-6]
		if withChecksum(body) != tok {
			t.Fatal("this test computes another checksum")
		}
		id, secret := body[len("default_"):len("default_")+16], body[len("default_")+16:]
		flipped := "a" + secret[1:]
		if flipped == secret {
			flipped = "b" + secret[1:]
		}
		for what, forged := range map[string]string{
			"prefix rewritten, checksum corrected":      withChecksum("acme_live_" + id + secret),
			"prefix shortened, checksum corrected":      withChecksum("defaul_" + id + secret),
			"secret of another key":                     withChecksum("default_" + id + other[len("default_")+16:len(other)-6]),
			"id of another key":                         withChecksum("default_" + other[len("default_"):len("default_")+16] + secret),
			"first character of the secret changed":     withChecksum("default_" + id + flipped),
			"last character of the secret changed":      withChecksum("default_" + id + secret[:42] + string(base62[(strings.IndexByte(base62, secret[42])+1)%62])),
			"an id that is not there, checksum correct": withChecksum("default_" + "0000000000000000" + secret),
			"letter case of the secret changed":         withChecksum("default_" + id + swapCase(secret)),
		} {
			wantVerdict(t, a, forged, "unknown")
			if t.Failed() {
				t.Fatal(what)
			}
		}
		for _, space := range []string{"acme", "twin", "keyfob"} {
			wantVerdict(t, a.In(space), tok, "unknown")
		}
		for what, malformed := range map[string]string{
			"empty": "", "leading space": " " + tok, "trailing newline": tok + "\n", "cut": tok[:len(tok)-1], "longer": tok + "0",
			"capital prefix": strings.ToUpper(tok[:7]) + tok[7:], "no prefix": tok[8:], "only an underscore": tok[7:],
			"Bearer": "Bearer " + tok, "wrong checksum": tok[:len(tok)-1] + string(base62[(strings.IndexByte(base62, tok[len(tok)-1])+1)%62]),
			"full width": strings.Replace(tok, tok[10:11], "Ａ", 1), "NUL": tok[:10] + "\x00" + tok[11:], "1 MB": strings.Repeat("a", 1<<20),
		} {
			if got := verdict(t, a, malformed); got != "malformed" {
				t.Errorf("%s: %s", what, got)
			}
		}
		wantVerdict(t, a, tok, "ok")
	})
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 32
		}
		if 'A' <= r && r <= 'Z' {
			return r + 32
		}
		return r
	}, s)
}

func TestScopes(t *testing.T) {
	a, _ := open(t, memory.Open())
	tok := issue(t, a, keyfob.APIKey{Scopes: []string{"read", "files:write"}}).Secret.Reveal()
	none := issue(t, a, keyfob.APIKey{}).Secret.Reveal()
	wantVerdict(t, a, tok, "ok")
	wantVerdict(t, a, tok, "ok", "read")
	wantVerdict(t, a, tok, "ok", "files:write", "read")
	wantVerdict(t, a, none, "ok")
	for _, missing := range []string{"Read", "rea", "readx", "write", "files", "*"} {
		wantVerdict(t, a, tok, "scope", "read", missing)
	}
	wantVerdict(t, a, none, "scope", "read")
}

// edited is a store whose versions somebody edited by hand.
type edited struct {
	store.Store
	edit func(*store.Found)
}

func (e *edited) Version(ctx context.Context, space, id string) (store.Found, error) {
	f, err := e.Store.Version(ctx, space, id)
	if err == nil {
		e.edit(&f)
	}
	return f, err
}

func TestVerifyRefusesEditedRecords(t *testing.T) {
	st := &edited{Store: memory.Open(), edit: func(*store.Found) {}}
	clock := newClock()
	a := openWith(t, keyfob.Config{Store: st, RootKey: newRootKey(t), Now: clock.Now, MaxStaleness: -1})
	mine := issue(t, a, keyfob.APIKey{Subject: "mallory", Expires: clock.Now().Add(time.Hour)})
	theirs := issue(t, a, keyfob.APIKey{Subject: "alice"})
	theirRow, err := st.Store.Version(t.Context(), spaceID(t, st, "default"), theirs.Credential.Versions[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*store.Found){
		"subject":                    func(f *store.Found) { f.Credential.Subject = "alice" },
		"kind":                       func(f *store.Found) { f.Credential.Kind = store.KindSession },
		"space":                      func(f *store.Found) { f.Credential.Space = "0000000000000000" },
		"purpose":                    func(f *store.Found) { f.Credential.Purpose = "login" },
		"binding":                    func(f *store.Found) { f.Credential.Binding = "x" },
		"credential":                 func(f *store.Found) { f.Credential.ID = theirs.Credential.ID },
		"the whole other credential": func(f *store.Found) { f.Credential = theirRow.Credential },
		"version id":                 func(f *store.Found) { f.Version.ID = theirRow.Version.ID },
		"prefix":                     func(f *store.Found) { f.Version.Prefix = "acme" },
		"digest of another":          func(f *store.Found) { f.Version.Digest = theirRow.Version.Digest },
		"digest cut":                 func(f *store.Found) { f.Version.Digest = f.Version.Digest[:31] },
		"no digest":                  func(f *store.Found) { f.Version.Digest = nil },
	} {
		st.edit = edit
		if got := verdict(t, a, mine.Secret.Reveal()); got != "unknown" {
			t.Errorf("%s edited: %s", what, got)
		}
	}
	// What may change is not in the digest; an unknown state or key is no "valid".
	for what, edit := range map[string]func(*store.Found){
		"a state of another version of keyfob": func(f *store.Found) { f.Credential.State = "frozen" },
		"no state":                             func(f *store.Found) { f.Credential.State = "" },
		"a root key that is not there":         func(f *store.Found) { f.Version.RootKey = 2 },
	} {
		st.edit = edit
		if got := verdict(t, a, mine.Secret.Reveal()); got != "undecided" {
			t.Errorf("%s: %s", what, got)
		}
	}
	st.edit = func(*store.Found) {}
	wantVerdict(t, a, mine.Secret.Reveal(), "ok")
}

func spaceID(t *testing.T, st store.Store, name string) string {
	t.Helper()
	s, err := st.Space(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

// down is a store that answers nothing.
type down struct {
	store.Store
	down bool
}

func (d *down) err() error {
	if d.down {
		return fmt.Errorf("disk on fire: %w", store.ErrUnavailable)
	}
	return nil
}

func (d *down) Version(ctx context.Context, space, id string) (store.Found, error) {
	if err := d.err(); err != nil {
		return store.Found{}, err
	}
	return d.Store.Version(ctx, space, id)
}

func (d *down) Apply(ctx context.Context, c store.Change) error {
	if err := d.err(); err != nil {
		return err
	}
	return d.Store.Apply(ctx, c)
}

// P8: a store that is down never makes a token valid, nor invalid.
func TestStoreDown(t *testing.T) {
	st := &down{Store: memory.Open()}
	a, _ := open(t, st)
	k := issue(t, a, keyfob.APIKey{})
	st.down = true
	c, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{})
	if !errors.Is(err, keyfob.ErrUnavailable) || errors.Is(err, keyfob.ErrInvalid) || c.ID != "" {
		t.Errorf("Verify: %v, %v; want ErrUnavailable and not ErrInvalid", c, err)
	}
	if _, err := a.Issue(t.Context(), keyfob.APIKey{Subject: "alice"}); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("Issue: %v", err)
	}
	if _, err := a.Rotate(t.Context(), k.Credential.ID, 0); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("Rotate: %v", err)
	}
	if err := a.Revoke(t.Context(), k.Credential.ID, ""); !errors.Is(err, keyfob.ErrUnavailable) {
		t.Errorf("Revoke: %v", err)
	}
	st.down = false
	wantVerdict(t, a, k.Secret.Reveal(), "ok")
}

func TestClosed(t *testing.T) {
	a, _ := open(t, memory.Open())
	k := issue(t, a, keyfob.APIKey{})
	for range 2 {
		if err := a.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	_, issueErr := a.Issue(ctx, keyfob.APIKey{Subject: "alice"})
	_, verifyErr := a.In("default").Verify(ctx, k.Secret.Reveal(), keyfob.Check{})
	_, getErr := a.Get(ctx, k.Credential.ID)
	_, listErr := a.List(ctx, keyfob.Filter{})
	_, rotateErr := a.Rotate(ctx, k.Credential.ID, 0)
	_, createErr := a.Spaces().Create(ctx, keyfob.Space{Name: "x", Prefix: "x"})
	_, updateErr := a.Spaces().Update(ctx, keyfob.Space{Name: "default", Prefix: "x", Revision: 1})
	_, spaceErr := a.Spaces().Get(ctx, "default")
	_, spacesErr := a.Spaces().List(ctx, "", 1)
	for i, err := range []error{issueErr, verifyErr, getErr, listErr, rotateErr, createErr, updateErr, spaceErr, spacesErr,
		a.Revoke(ctx, k.Credential.ID, "")} {
		if !errors.Is(err, keyfob.ErrUnavailable) {
			t.Errorf("verb %d after Close: %v, want ErrUnavailable", i, err)
		}
	}
}

// badTexts may stand in no text field.
var badTexts = map[string]string{
	"NUL": "a\x00b", "CR LF": "a\r\nb", "newline": "a\n", "tab": "a\tb", "ANSI": "\x1b[31mred", "DEL": "a\x7f", "C1": "a\u0085b",
	"line separator": "a\u2028b", "paragraph separator": "a\u2029b", "right-to-left override": "a\u202eb", "isolate": "a\u2066b",
	"lone surrogate": "a\xed\xa0\x80b", "overlong": "a\xc0\xafb", "half a rune": "a\xe2\x82",
}

func TestIssueRefusesBadInput(t *testing.T) {
	st := openSQLite(t)
	a, clock := open(t, st)
	before := len(events(t, st, "default"))
	refused := func(what, field string, k keyfob.APIKey) {
		t.Helper()
		_, err := a.Issue(t.Context(), k)
		var input *keyfob.InputError
		if !errors.As(err, &input) || !errors.Is(err, keyfob.ErrInput) || input.Field != field {
			t.Errorf("%s: %v, want an InputError of %s", what, err, field)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: an error of %d bytes", what, len(err.Error()))
		}
	}
	refused("no subject", "subject", keyfob.APIKey{})
	refused("subject of 257 bytes", "subject", keyfob.APIKey{Subject: strings.Repeat("a", 257)})
	refused("subject of 10 kB", "subject", keyfob.APIKey{Subject: strings.Repeat("é", 5<<10)})
	refused("name of 257 bytes", "name", keyfob.APIKey{Subject: "a", Name: strings.Repeat("a", 257)})
	for what, text := range badTexts {
		refused(what, "subject", keyfob.APIKey{Subject: text})
		refused(what, "name", keyfob.APIKey{Subject: "a", Name: text})
		refused(what, "scopes", keyfob.APIKey{Subject: "a", Scopes: []string{text}})
		refused(what, "attributes", keyfob.APIKey{Subject: "a", Attributes: map[string]string{text: "v"}})
		refused(what, "attributes.k", keyfob.APIKey{Subject: "a", Attributes: map[string]string{"k": text}})
	}
	for _, scope := range []string{"", " ", "a b", `a"b`, `a\b`, "é", strings.Repeat("a", 129)} {
		refused("scope "+scope, "scopes", keyfob.APIKey{Subject: "a", Scopes: []string{scope}})
	}
	refused("a scope twice", "scopes", keyfob.APIKey{Subject: "a", Scopes: []string{"x", "y", "x"}})
	many := map[string]string{}
	var scopes []string
	for i := range 65 {
		many[fmt.Sprint(i)] = ""
		scopes = append(scopes, fmt.Sprint(i))
	}
	refused("65 scopes", "scopes", keyfob.APIKey{Subject: "a", Scopes: scopes})
	refused("65 attributes", "attributes", keyfob.APIKey{Subject: "a", Attributes: many})
	refused("an attribute without a name", "attributes", keyfob.APIKey{Subject: "a", Attributes: map[string]string{"": "x"}})
	refused("a long attribute", "attributes.k", keyfob.APIKey{Subject: "a", Attributes: map[string]string{"k": strings.Repeat("x", 1025)}})
	for what, expires := range map[string]time.Time{
		"now": clock.Now(), "in the past": clock.Now().Add(-time.Hour), "within this millisecond": clock.Now().Add(time.Microsecond),
		"year 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "the last time of all": time.Unix(math.MaxInt64, 0), "before the year 1": time.Unix(math.MinInt64, 0),
	} {
		refused("expiry "+what, "expires_at", keyfob.APIKey{Subject: "a", Expires: expires})
	}
	if _, err := a.Issue(t.Context(), nil); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("no request: %v", err)
	}
	if _, err := a.In("nowhere").Issue(t.Context(), keyfob.APIKey{Subject: "a"}); !errors.Is(err, keyfob.ErrSpace) {
		t.Errorf("unknown space: %v", err)
	}
	for what, text := range badTexts {
		if _, err := a.Issue(keyfob.WithActor(t.Context(), text), keyfob.APIKey{Subject: "a"}); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("actor %s: %v", what, err)
		}
	}
	if after := len(events(t, st, "default")); after != before {
		t.Errorf("refused requests left %d events", after-before)
	}
	if page, err := a.List(t.Context(), keyfob.Filter{}); err != nil || len(page.Items) != 0 {
		t.Errorf("refused requests left %v, %v", page.Items, err)
	}
	issue(t, a, keyfob.APIKey{Subject: strings.Repeat("é", 128), Name: "Zoë's 💻 — 日本語", Scopes: []string{"!", strings.Repeat("a", 128)}})
}

func TestVerbsRefuseBadInput(t *testing.T) {
	a, _ := open(t, openSQLite(t))
	k := issue(t, a, keyfob.APIKey{})
	id := k.Credential.ID
	for _, grace := range []time.Duration{-1, -time.Hour, time.Microsecond, time.Second + 1} {
		if _, err := a.Rotate(t.Context(), id, grace); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("grace %v: %v", grace, err)
		}
	}
	if _, err := a.Rotate(t.Context(), id, 292*365*24*time.Hour); err != nil {
		t.Errorf("a grace of 292 years: %v", err)
	}
	for what, text := range badTexts {
		if err := a.Revoke(t.Context(), id, text); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("reason %s: %v", what, err)
		}
	}
	if err := a.Revoke(t.Context(), id, strings.Repeat("a", 513)); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("a long reason: %v", err)
	}
	for _, bad := range []string{"", "short", id + "0", k.Secret.Reveal(), "../../etc/passwd", strings.Repeat("é", 8), id[:15] + "'"} {
		if _, err := a.Get(t.Context(), bad); !errors.Is(err, keyfob.ErrNotFound) {
			t.Errorf("Get(%q): %v", bad, err)
		} else if bad == k.Secret.Reveal() && strings.Contains(err.Error(), bad) {
			t.Error("the error repeats a token that was given as an id")
		}
	}
	for what, f := range map[string]keyfob.Filter{
		"negative limit": {Limit: -1}, "limit 1001": {Limit: 1001}, "kind": {Kind: "password"}, "state": {States: []keyfob.State{"expired"}},
		"subject": {Subject: "a\nb"},
	} {
		if _, err := a.List(t.Context(), f); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("list with a wrong %s: %v", what, err)
		}
	}
	if _, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{Scopes: []string{"a b"}}); !errors.Is(err, keyfob.ErrInput) {
		t.Errorf("a check with a wrong scope: %v", err)
	}
	for _, kind := range []keyfob.Kind{keyfob.KindLink, keyfob.KindCode, keyfob.KindTOTP, keyfob.KindRecovery, "Session", "x"} {
		if _, err := a.Verify(t.Context(), k.Secret.Reveal(), keyfob.Check{Kind: kind}); !errors.Is(err, keyfob.ErrInput) {
			t.Errorf("a check of the kind %q: %v", kind, err)
		}
	}
	other := issue(t, a, keyfob.APIKey{})
	createSpace(t, a, "acme", "acme")
	for what, err := range map[string]error{
		"Revoke":   a.In("acme").Revoke(t.Context(), other.Credential.ID, ""),
		"Get":      second(a.In("acme").Get(t.Context(), other.Credential.ID)),
		"Rotate":   second(a.In("acme").Rotate(t.Context(), other.Credential.ID, 0)),
		"Revoke 2": a.In("acme").Revoke(t.Context(), other.Credential.Versions[0].ID, ""),
	} {
		if !errors.Is(err, keyfob.ErrNotFound) || errors.Is(err, keyfob.ErrSpace) {
			t.Errorf("%s from another space: %v", what, err)
		}
	}
	wantVerdict(t, a, other.Secret.Reveal(), "ok")
}

func second[T any](_ T, err error) error { return err }
