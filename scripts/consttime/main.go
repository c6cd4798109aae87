// Consttime counts the instructions of what compares secrets, under valgrind, and
// fails where the count depends on the place of a difference. scripts/test-long runs
// it:
//
//	go build -o consttime ./scripts/consttime && ./consttime
//
// Each case runs in a process of its own, without garbage collection, and callgrind
// counts within the function round alone. What the runtime does there to find memory is
// not counted: it depends on what the heap looks like, and not on secrets. So the counts
// are exact, and are compared for equality.
//
// Valgrind's processor has no instructions for SHA: what is counted is the code for
// AVX2. A count says nothing of instructions whose time depends on their operands, nor
// of caches.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// rounds is how often a case is counted. They are alike, and so are their counts, but
// for the rare one that the runtime interrupts.
const rounds = 21

// tries is how often a subject is counted before it is said to fail. Now and then the
// runtime remembers the outcome of a type assertion within crypto/hmac, at a random
// time, and from there on a case takes a few instructions less: in less than one try
// of five. A leak is there in every try.
const tries = 5

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "consttime:", err)
		os.Exit(1)
	}
}

// run counts all that there is; or, as the process that is counted, does one case.
func run(args []string, out io.Writer) error {
	switch len(args) {
	case 0:
		return countAll(out)
	case 2:
		return do(args[0], args[1])
	}
	return errors.New("it takes no argument")
}

// countAll counts each case of each subject, and compares.
func countAll(out io.Writer) error {
	failed := 0
	for _, s := range subjects() {
		var err error
		for range tries {
			var said string
			if said, err = s.count(); err == nil || s.leaks {
				io.WriteString(out, said)
				break
			}
		}
		if err != nil {
			fmt.Fprintf(out, "FAIL %s: %v\n", s.name, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of what was counted are not as they have to be", failed)
	}
	return nil
}

// count counts the cases of a subject, and says what it found.
func (s subject) count() (said string, err error) {
	counts := make([]int, len(s.cases))
	for i, c := range s.cases {
		if counts[i], err = count(s.name, c.name); err != nil {
			return "", fmt.Errorf("%s: %w", c.name, err)
		}
		said += fmt.Sprintf("%-26s %-24s %7d instructions\n", s.name, c.name, counts[i])
	}
	return said, s.judge(counts)
}

// judge compares the counts of a subject's cases. Those of one group must be equal;
// of a subject that leaks they must not.
func (s subject) judge(counts []int) error {
	first := map[string]int{} // by group, the index of the case that comes first
	var differ error
	for i, c := range s.cases {
		if counts[i] == 0 {
			return fmt.Errorf("nothing was counted for %q", c.name)
		}
		j, ok := first[c.group]
		if !ok {
			first[c.group] = i
		} else if counts[i] != counts[j] && differ == nil {
			differ = fmt.Errorf("%q takes %d instructions, and %q takes %d", s.cases[j].name, counts[j], c.name, counts[i])
		}
	}
	switch {
	case s.leaks && differ == nil:
		return errors.New("its early exit was not seen, so that nothing would be")
	case s.leaks:
		return nil
	}
	return differ
}

// count runs one case under callgrind, and returns the instructions of a round.
func count(subject, name string) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "consttime-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "counts")
	cmd := exec.Command("valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=main.round",
		"--dump-after=main.round", "--compress-strings=no", "--callgrind-out-file="+path, self, subject, name)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	if said, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, said)
	}
	all := make([]int, rounds)
	for i := range all {
		text, err := os.ReadFile(fmt.Sprintf("%s.%d", path, i+1))
		if err != nil {
			return 0, err
		}
		if all[i], err = instructions(string(text)); err != nil {
			return 0, err
		}
	}
	return common(all)
}

// common returns the number that more than half of all are.
func common(all []int) (int, error) {
	slices.Sort(all)
	middle := all[len(all)/2]
	n := 0
	for _, v := range all {
		if v == middle {
			n++
		}
	}
	if 2*n <= len(all) {
		return 0, fmt.Errorf("the rounds are not alike: %v", all)
	}
	return middle, nil
}
