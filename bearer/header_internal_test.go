package bearer

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// authorization is the grammar of RFC 6750, section 2.1, with a scheme in any
// case: RFC 9110, section 11.1.
var authorization = regexp.MustCompile(`^(?i:bearer) +([A-Za-z0-9._~+/-]+=*)$`)

// FuzzPresented: a token is found where the grammar has one, and is what it has.
func FuzzPresented(f *testing.F) {
	for _, text := range []string{"", "Bearer", "Bearer ", "Bearer a", "bearer  a==", "Bearer =", "Bearer a=b", "Basic a", "Bearer a b", "Bearer a,", "Bearer ä", "Bearer\ta", "Bearer \ta", "Bearer a\n", " Bearer a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, value string) {
		text, err := presented([]string{value})
		m := authorization.FindStringSubmatch(value)
		if (m != nil) != (err == nil) || m != nil && text != m[1] {
			t.Errorf("%q: %q, %v", value, text, err)
		}
		if err == nil {
			return
		}
		if text != "" || errors.Is(err, ErrNoToken) == errors.Is(err, ErrHeader) {
			t.Errorf("%q: %q with %v", value, text, err)
		}
		if len(value) > 20 && strings.Contains(err.Error(), value[8:]) {
			t.Errorf("%v repeats the header", err)
		}
		if _, err := presented([]string{value, value}); !errors.Is(err, ErrHeader) {
			t.Errorf("twice %q: %v", value, err)
		}
	})
}
