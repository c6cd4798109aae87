package needs

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a test that notes how it ended.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper() {}

func (r *recorder) Skip(args ...any) {
	r.end = "skipped: " + fmt.Sprint(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.end = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ending runs f as a test and tells how it ended.
func ending(f func(testing.TB)) string {
	r := &recorder{end: "ran"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.end
}

func TestUnmetNeeds(t *testing.T) {
	const absent = "keyfob-no-such-program"
	for _, c := range []struct {
		name   string
		noSkip string
		test   func(testing.TB)
		want   string
	}{
		{"met", "", func(t testing.TB) { That(t, true, "needs luck") }, "ran"},
		{"met, nothing may skip", "1", func(t testing.TB) { That(t, true, "needs luck") }, "ran"},
		{"unmet", "", func(t testing.TB) { That(t, false, "needs luck") }, "skipped: needs luck"},
		{"unmet, set to 0", "0", func(t testing.TB) { That(t, false, "needs luck") }, "skipped: needs luck"},
		{"unmet, nothing may skip", "1", func(t testing.TB) { That(t, false, "needs luck") }, "failed: needs luck"},
		{"no program", "", func(t testing.TB) { Binary(t, absent, "luck") }, "skipped: needs the program " + absent + ": install the Debian package luck"},
		{"no program, nothing may skip", "1", func(t testing.TB) { Binary(t, absent, "luck") }, "failed: needs the program " + absent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(NoSkip, c.noSkip)
			if got := ending(c.test); !strings.HasPrefix(got, c.want) {
				t.Errorf("the test %s; want %s", got, c.want)
			}
		})
	}
}

func TestBinaryReturnsItsPath(t *testing.T) {
	if path := Binary(t, "go", "golang-go"); !strings.Contains(path, "go") {
		t.Errorf("path = %q", path)
	}
}
