package csrf_test

import (
	"testing"

	"github.com/keyfob-dev/keyfob/csrf"
)

func BenchmarkNew(b *testing.B) {
	k := newKey(b, csrf.Config{})
	b.ReportAllocs()
	for b.Loop() {
		k.New("session-1", start)
	}
}

func BenchmarkCheck(b *testing.B) {
	k := newKey(b, csrf.Config{})
	token := newToken(b, k, "session-1", start)
	for _, c := range []struct{ name, id, token string }{
		{"right", "session-1", token}, {"another id", "session-2", token}, {"malformed", "session-1", token[1:]},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Check(c.id, c.token, start)
			}
		})
	}
}
