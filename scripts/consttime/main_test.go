package main

import "testing"

// What is counted in this text is the 7 instructions of f, the 2 of g and the 9 of
// memequal.
const counted = `version: 1
positions: line
events: Ir
summary: 118

fl=f.go
fn=f
10 3
+1 4
cfn=g
calls=1 20
+1 2
fn=g
20 2
fn=runtime.mallocgc
30 100
fn=runtime.memequal
* 9
totals: 118
`

func TestInstructions(t *testing.T) {
	if n, err := instructions(counted); n != 18 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, text := range []string{"", "summary: 1\nfn=f\n10 2\n", "summary: x\n", "summary: 0\nfn=f\n10 x\n", "fn=f\n10 2\n"} {
		if n, err := instructions(text); err == nil {
			t.Errorf("%q: %d", text, n)
		}
	}
}

func TestCommon(t *testing.T) {
	if n, err := common([]int{5, 7, 5, 9, 5}); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, all := range [][]int{{1, 2}, {1, 1, 2, 2}, {1, 2, 3}} {
		if n, err := common(all); err == nil {
			t.Errorf("%v: %d", all, n)
		}
	}
}

func TestJudge(t *testing.T) {
	cases := []testCase{{name: "first", group: "wrong"}, {name: "last", group: "wrong"}, {name: "equal", group: "right"}}
	for _, c := range []struct {
		leaks  bool
		counts []int
		good   bool
	}{
		{false, []int{5, 5, 6}, true}, {false, []int{5, 6, 5}, false}, {false, []int{6, 5, 6}, false},
		{false, []int{5, 5, 0}, false}, {false, []int{0, 0, 0}, false},
		{true, []int{5, 6, 6}, true}, {true, []int{5, 5, 6}, false},
	} {
		if err := (subject{leaks: c.leaks, cases: cases}).judge(c.counts); (err == nil) != c.good {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// Every case has the outcome that it says, and cases of a group are not alike.
func TestSubjects(t *testing.T) {
	for _, s := range subjects() {
		seen := map[string]bool{}
		for _, c := range s.cases {
			if !c.call() {
				t.Errorf("%s, %s: the outcome is wrong", s.name, c.name)
			}
			if seen[c.name] {
				t.Errorf("%s has two cases %s", s.name, c.name)
			}
			seen[c.name] = true
		}
	}
	for _, args := range [][]string{{"one"}, {"no such", "case"}, {"early exit", "no such"}} {
		if run(args, nil) == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
