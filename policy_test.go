package keyfob_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store"
)

func cidrs(texts ...string) (networks []netip.Prefix) {
	for _, text := range texts {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return networks
}

// wantInput checks that an error is of a field's, and says what would be right.
func wantInput(t *testing.T, what string, err error, field, says string) {
	t.Helper()
	input, ok := errors.AsType[*keyfob.InputError](err)
	if !ok || !errors.Is(err, keyfob.ErrInput) || input.Field != field || !strings.Contains(input.Problem, says) {
		t.Errorf("%s: %v; want one of %s that says %q", what, err, field, says)
	}
}

// What Issue refuses, Update refuses as well.
func TestPolicyRefuses(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		now := clock.Now()
		many := make([]netip.Prefix, 65)
		for i := range many {
			many[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)
		}
		there := issue(t, a, keyfob.APIKey{Name: "before"}).Credential
		for what, c := range map[string]struct {
			key         keyfob.APIKey
			field, says string
		}{
			"not before expiry":          {keyfob.APIKey{NotBefore: now.Add(2 * time.Hour), Expires: now.Add(time.Hour)}, "not_before", "is not before expires_at"},
			"not before in the year 0":   {keyfob.APIKey{NotBefore: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}, "not_before", "year 1"},
			"not before at expiry":       {keyfob.APIKey{NotBefore: now.Add(time.Hour), Expires: now.Add(time.Hour)}, "not_before", "is not before expires_at"},
			"same millisecond":           {keyfob.APIKey{NotBefore: now.Add(time.Hour), Expires: now.Add(time.Hour + time.Microsecond)}, "not_before", "is not before expires_at"},
			"not before the year 10000":  {keyfob.APIKey{NotBefore: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "not_before", "9999"},
			"expiry in the year 1":       {keyfob.APIKey{Expires: time.Time{}.Add(time.Microsecond)}, "expires_at", "not in the future"},
			"expiry now":                 {keyfob.APIKey{Expires: now}, "expires_at", "not in the future"},
			"expiry in the year 10000":   {keyfob.APIKey{Expires: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "expires_at", "9999"},
			"uses below 0":               {keyfob.APIKey{Uses: -1}, "uses", "1 or more"},
			"the zero network":           {keyfob.APIKey{CIDRs: make([]netip.Prefix, 1)}, "cidrs", "192.0.2.0/24"},
			"bits of a host":             {keyfob.APIKey{CIDRs: cidrs("192.0.2.1/24")}, "cidrs", "give 192.0.2.0/24, or 192.0.2.1/32"},
			"bits of a host in IPv6":     {keyfob.APIKey{CIDRs: cidrs("2001:db8::1/64")}, "cidrs", "give 2001:db8::/64, or 2001:db8::1/128"},
			"IPv4 in IPv6":               {keyfob.APIKey{CIDRs: cidrs("::ffff:192.0.2.0/120")}, "cidrs", "IPv4"},
			"a network twice":            {keyfob.APIKey{CIDRs: cidrs("192.0.2.0/24", "10.0.0.0/8", "192.0.2.0/24")}, "cidrs", "twice"},
			"65 networks":                {keyfob.APIKey{CIDRs: many}, "cidrs", "at most 64"},
			"a scope with a space":       {keyfob.APIKey{Scopes: []string{"read write"}}, "scopes", "0x20"},
			"a scope with a quote":       {keyfob.APIKey{Scopes: []string{`re"ad`}}, "scopes", "0x22"},
			"a scope with a backslash":   {keyfob.APIKey{Scopes: []string{`re\ad`}}, "scopes", "0x5c"},
			"a scope beyond ASCII":       {keyfob.APIKey{Scopes: []string{"lesen-ä"}}, "scopes", "0xc3"},
			"an empty scope":             {keyfob.APIKey{Scopes: []string{""}}, "scopes", "0 bytes"},
			"a scope twice":              {keyfob.APIKey{Scopes: []string{"a", "b", "a"}}, "scopes", "twice"},
			"a name with a line's end":   {keyfob.APIKey{Name: "a\nb"}, "name", "control"},
			"an attribute without name":  {keyfob.APIKey{Attributes: map[string]string{"": "x"}}, "attributes", "without a name"},
			"an attribute of 1025 bytes": {keyfob.APIKey{Attributes: map[string]string{"a": strings.Repeat("x", 1025)}}, "attributes.a", "at most 1024"},
		} {
			c.key.Subject = "alice"
			_, err := a.Issue(t.Context(), c.key)
			wantInput(t, "Issue, "+what, err, c.field, c.says)
			changed := there
			changed.Name, changed.Scopes, changed.Attributes = c.key.Name, c.key.Scopes, c.key.Attributes
			changed.NotBefore, changed.Expires, changed.CIDRs, changed.Uses = c.key.NotBefore, c.key.Expires, c.key.CIDRs, c.key.Uses
			_, err = a.Update(t.Context(), changed)
			wantInput(t, "Update, "+what, err, c.field, c.says)
		}
		got, err := a.Get(t.Context(), there.ID)
		if d := cmp.Diff(there, got, cmp.Comparer(samePrefix)); err != nil || d != "" {
			t.Errorf("after refused updates: %v, (-want +got):\n%s", err, d)
		}
		if page, _ := a.List(t.Context(), keyfob.Filter{}); len(page.Items) != 1 {
			t.Errorf("%d keys after refused issues, want 1", len(page.Items))
		}
	})
}

func samePrefix(a, b netip.Prefix) bool { return a == b }

func TestParseCIDR(t *testing.T) {
	for _, text := range []string{"192.0.2.0/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0", "2001:db8::1/128"} {
		if got, err := keyfob.ParseCIDR(text); err != nil || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"": "192.0.2.0/24", "x": "192.0.2.0/24", "192.0.2.0/33": "192.0.2.0/24", "192.0.2.0/-1": "192.0.2.0/24", "192.0.2.0/024": "192.0.2.0/24",
		"192.0.2.0/": "192.0.2.0/24", "/24": "192.0.2.0/24", "192.0.2.0/24 ": "192.0.2.0/24", "192.0.2/24": "192.0.2.0/24", "192.0.02.0/24": "192.0.2.0/24",
		"fe80::%eth0/64": "192.0.2.0/24", "192.0.2.1": "192.0.2.1/32", "2001:db8::1": "2001:db8::1/128", "192.0.2.1/24": "192.0.2.0/24",
		"2001:0db8::/32": "second spelling of 2001:db8::/32", "2001:DB8::/32": "second spelling", "::ffff:192.0.2.0/120": "IPv4",
	} {
		_, err := keyfob.ParseCIDR(text)
		wantInput(t, fmt.Sprintf("ParseCIDR(%q)", text), err, "cidrs", says)
	}
}

func FuzzParseCIDR(f *testing.F) {
	for _, text := range []string{"192.0.2.0/24", "2001:db8::/32", "::/0", "192.0.2.1", "fe80::%x/64", "::ffff:1.2.3.4/128", "010.0.0.0/8", "1.2.3.4/032"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cidr, err := keyfob.ParseCIDR(text)
		if err != nil {
			if !errors.Is(err, keyfob.ErrInput) {
				t.Errorf("%q: %v is no ErrInput", text, err)
			}
			return
		}
		if cidr.String() != text || cidr != cidr.Masked() || !cidr.IsValid() {
			t.Errorf("%q is accepted as %v", text, cidr)
		}
	})
}

func FuzzCheckScope(f *testing.F) {
	for _, text := range []string{"read", "a:b", "", " ", `"`, `\`, "!", "~", "\x7f", "ä", strings.Repeat("a", 128), strings.Repeat("a", 129)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// RFC 6749, section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
		want := len(text) >= 1 && len(text) <= 128
		for _, b := range []byte(text) {
			want = want && (b == 0x21 || 0x23 <= b && b <= 0x5b || 0x5d <= b && b <= 0x7e)
		}
		if err := keyfob.CheckScope(text); (err == nil) != want {
			t.Errorf("CheckScope(%q): %v", text, err)
		}
	})
}

func TestNotBefore(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, clock := open(t, st)
		k := issue(t, a, keyfob.APIKey{NotBefore: clock.Now().Add(time.Hour), Expires: clock.Now().Add(2 * time.Hour)})
		if k.Credential.State != keyfob.StateNotYet {
			t.Errorf("state %q, want not_yet", k.Credential.State)
		}
		wantVerdict(t, a, k.Secret.Reveal(), "not_yet")
		clock.Add(time.Hour - time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "not_yet")
		clock.Add(time.Millisecond)
		wantVerdict(t, a, k.Secret.Reveal(), "ok")
		if c, _ := a.Get(t.Context(), k.Credential.ID); c.State != keyfob.StateActive {
			t.Errorf("state %q, want active", c.State)
		}
		clock.Add(time.Hour)
		wantVerdict(t, a, k.Secret.Reveal(), "expired")
	})
}

func TestCIDRs(t *testing.T) {
	onEachStore(t, func(t *testing.T, st store.Store) {
		a, _ := open(t, st)
		tok := issue(t, a, keyfob.APIKey{CIDRs: cidrs("192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32")}).Secret.Reveal()
		for text, want := range map[string]string{
			"192.0.2.0": "ok", "192.0.2.255": "ok", "192.0.1.255": "ip", "192.0.3.0": "ip", "::ffff:192.0.2.9": "ok", "::ffff:192.0.3.9": "ip",
			"198.51.100.7": "ok", "198.51.100.6": "ip", "2001:db8:ffff::1": "ok", "2001:db9::": "ip", "2001:db8::1%eth0": "ip", "": "ip",
		} {
			var addr netip.Addr
			if text != "" {
				addr = netip.MustParseAddr(text)
			}
			_, err := a.Verify(t.Context(), tok, keyfob.Check{IP: addr})
			if got := keyfob.Reason(err); got != want {
				t.Errorf("from %q: %q, want %q", text, got, want)
			}
		}
		free := issue(t, a, keyfob.APIKey{}).Secret.Reveal()
		if _, err := a.Verify(t.Context(), free, keyfob.Check{IP: netip.MustParseAddr("203.0.113.1")}); err != nil {
			t.Errorf("a key without networks: %v", err)
		}
	})
}
