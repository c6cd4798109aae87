package main

import (
	"bufio"
	"strings"
	"testing"
)

// events is what go test -json writes, shortened, for a package in which one
// test passes, one skips and one fails, and one without tests.
const events = `{"Action":"start","Package":"m/a"}
{"Action":"run","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"    a_test.go:5: chatter\n"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"--- PASS: TestGood (0.00s)\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestLazy","Output":"=== RUN   TestLazy\n"}
{"Action":"output","Package":"m/a","Test":"TestLazy","Output":"    a_test.go:7: needs luck\n"}
{"Action":"output","Package":"m/a","Test":"TestLazy","Output":"--- SKIP: TestLazy (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestLazy"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.01s\n"}
{"Action":"pass","Package":"m/a"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"    b_test.go:5: got 1, want 2\n"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"m/b","Test":"TestBad"}
{"Action":"output","Package":"m/b","Test":"TestCut","Output":"    b_test.go:9: before the panic\n"}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.01s\n"}
{"Action":"fail","Package":"m/b"}
{"Action":"output","Package":"m/c","Output":"?   \tm/c\t[no test files]\n"}
{"Action":"skip","Package":"m/c"}
{"ImportPath":"m/d","Action":"build-output","Output":"d.go:1:1: no\n"}
not an event
`

const printed = `    a_test.go:7: needs luck
--- SKIP: TestLazy (0.00s)
ok  	m/a	0.01s
    b_test.go:5: got 1, want 2
--- FAIL: TestBad (0.00s)
    b_test.go:9: before the panic
FAIL	m/b	0.01s
?   	m/c	[no test files]
d.go:1:1: no
not an event
`

func TestReport(t *testing.T) {
	var out strings.Builder
	w := bufio.NewWriter(&out)
	skipped, err := report(strings.NewReader(events), w)
	if err != nil {
		t.Fatal(err)
	}
	w.Flush()
	if out.String() != printed {
		t.Errorf("printed:\n%s\nwant:\n%s", out.String(), printed)
	}
	if len(skipped) != 1 || skipped[0] != "m/a TestLazy" {
		t.Errorf("skipped = %q, want m/a TestLazy alone", skipped)
	}
}

func TestReportOfNothingFails(t *testing.T) {
	for _, in := range []string{"", "ok  \tm/a\t0.01s\n"} {
		if _, err := report(strings.NewReader(in), bufio.NewWriter(&strings.Builder{})); err == nil {
			t.Errorf("report of %q passed: what has no events proves nothing", in)
		}
	}
}
