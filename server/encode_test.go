package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/internal/oas"
)

// some draws records of all forms: each field empty, plain, or of what encoders
// get wrong.
type some struct{ *rand.Rand }

func (r some) text() string {
	pieces := []string{"", "a", "read", `"`, `\`, "\n", "\r", "\t", "\x00", "\x1f", "\x7f", "é", "\u2028", "😀", "<&>", "/", "\xff", " "}
	text := ""
	for range r.IntN(4) {
		text += pieces[r.IntN(len(pieces))]
	}
	return text
}

func (r some) number() int64 {
	return []int64{0, 0, 1, -1, 42, 1 << 40, 1 << 62, -1 << 63}[r.IntN(8)]
}

func (r some) time() time.Time {
	switch r.IntN(4) {
	case 0:
		return time.Time{}
	case 1:
		return time.Date(r.IntN(10_000), 1, 1, 0, 0, 0, 999_999_999, time.UTC)
	}
	zone := time.FixedZone("", r.IntN(20*3600)-10*3600)
	return time.Date(r.IntN(9998)+1, time.Month(r.IntN(12)+1), r.IntN(28)+1, r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e9), zone)
}

func (r some) ip() netip.Addr {
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(256))})
	}
	return netip.AddrFrom16([16]byte{0x20, 1, 15: byte(r.IntN(256))})
}

func (r some) limit() keyfob.Limit {
	if r.IntN(2) == 0 {
		return keyfob.Limit{}
	}
	return keyfob.Limit{Rate: r.number(), Per: time.Duration(r.IntN(100)) * time.Second, Burst: r.number()}
}

func (r some) credential() keyfob.Credential {
	c := keyfob.Credential{
		ID: r.text(), Space: r.text(), Kind: keyfob.Kind(r.text()), Idle: time.Duration(r.Int64N(int64(time.Minute))), Seen: r.time(), Subject: r.text(), Name: r.text(),
		NotBefore: r.time(), Expires: r.time(), Uses: r.number(), Used: r.number(), Limit: r.limit(),
		State: keyfob.State(r.text()), Reason: r.text(), Revision: r.number(), Created: r.time(), Updated: r.time(),
	}
	for range r.IntN(4) {
		c.Scopes = append(c.Scopes, r.text())
		ip := r.ip()
		c.CIDRs = append(c.CIDRs, netip.PrefixFrom(ip, r.IntN(ip.BitLen()+1)))
	}
	if n := r.IntN(4); n > 0 {
		c.Attributes = map[string]string{}
		for i := range n {
			c.Attributes[fmt.Sprint(i, r.text())] = r.text()
		}
	}
	for range r.IntN(3) {
		v := keyfob.Version{
			ID: r.text(), Number: r.number(), Prefix: r.text(), State: keyfob.VersionState(r.text()),
			Created: r.time(), Ends: r.time(), FirstUsed: r.time(), LastUsed: r.time(),
		}
		for range r.IntN(3) {
			v.From = append(v.From, keyfob.Use{IP: r.ip(), First: r.time(), Last: r.time()})
		}
		c.Versions = append(c.Versions, v)
	}
	return c
}

func (r some) verdict() (v keyfob.Verdict, err error) {
	v.Staleness = time.Duration(r.Int64N(int64(2 * time.Second)))
	if r.IntN(2) == 0 {
		v.Meter = keyfob.Meter{
			Limit: r.limit(), Remaining: r.number(),
			Reset: time.Duration(r.Int64N(int64(time.Hour))), Retry: time.Duration(r.Int64N(int64(time.Hour))),
		}
	}
	if r.IntN(4) == 0 {
		causes := []error{keyfob.ErrUnknown, keyfob.ErrRevoked, keyfob.ErrScope, keyfob.ErrRateLimited}
		return v, causes[r.IntN(len(causes))]
	}
	v.Credential = r.credential()
	return v, nil
}

// TestVerdictAsGenerated: the answer to a verification is what generated code
// would write, to the byte where a map leaves no choice, and is read as the same.
func TestVerdictAsGenerated(t *testing.T) {
	r := some{rand.New(rand.NewPCG(1, 2))}
	for range 20_000 {
		v, cause := r.verdict()
		generated := verdictOf(&v, cause)
		want, err := generated.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got := appendVerdict(nil, &v, cause)
		if len(v.Credential.Attributes) < 2 && string(got) != string(want) {
			t.Fatalf("is\n%s\nwant\n%s", got, want)
		}
		var is, shall oas.Verdict
		if err := is.UnmarshalJSON(got); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if err := shall.UnmarshalJSON(want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(is, shall) || len(got) != len(want) || !json.Valid(got) {
			t.Fatalf("is\n%s\nwant\n%s", got, want)
		}
	}
}

// TestVerdictOfSchema: what is written is what openapi.yaml describes.
func TestVerdictOfSchema(t *testing.T) {
	spec := readSpec(t)
	schema := spec.spec.Components.Schemas["Verdict"]
	r := some{rand.New(rand.NewPCG(3, 4))}
	for range 2_000 {
		v, cause := r.verdict()
		var value any
		if err := json.Unmarshal(appendVerdict(nil, &v, cause), &value); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range spec.conform(schema, value, "answer") {
			t.Fatal(wrong)
		}
	}
}

// The text before is kept, and a verdict fits into what a buffer has room for.
func TestAppendVerdictAppends(t *testing.T) {
	v := keyfob.Verdict{Credential: keyfob.Credential{ID: "x"}}
	want := "before" + string(appendVerdict(nil, &v, nil))
	if got := string(appendVerdict([]byte("before"), &v, nil)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func BenchmarkAppendVerdict(b *testing.B) {
	v := keyfob.Verdict{Credential: keyfob.Credential{
		ID: "0aB9cD8eF7gH6iJ5", Space: "default", Kind: keyfob.KindAPIKey, Subject: "alice", Scopes: []string{"read"},
		State: keyfob.StateActive, Revision: 1, Created: time.Unix(1_900_000_000, 0),
		Versions: []keyfob.Version{{ID: "0aB9cD8eF7gH6iJ5", Number: 1, Prefix: "default", State: "active", Created: time.Unix(1_900_000_000, 0)}},
	}}
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		text := make([]byte, 0, 1024)
		for b.Loop() {
			text = appendVerdict(text[:0], &v, nil)
		}
	})
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := verdictOf(&v, nil).MarshalJSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
