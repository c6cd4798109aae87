package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Each flag of the commands that work on the data has its variable, which is named
// after it.
func TestFlagsHaveVariables(t *testing.T) {
	root := newRoot(&ui{out: newOutput(os.Stdout), stderr: os.Stderr, stdin: os.Stdin})
	for _, path := range []string{"serve", "init", "owner reset"} {
		cmd, _, err := root.Find(strings.Fields(path))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			n++
			want := "KEYFOB_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			if got := f.Annotations[envAnnotation]; len(got) != 1 || got[0] != want || !strings.Contains(f.Usage, "["+want+"]") {
				t.Errorf("%s: --%s has the variable %q, want %s", path, f.Name, got, want)
			}
		})
		if n < 2 {
			t.Errorf("%s has %d flags", path, n)
		}
	}
}

func TestProxiesValue(t *testing.T) {
	var v proxiesValue
	for _, good := range []string{"10.0.0.0/8", "10.1.2.3/32, fd00::/8", "::1/128"} {
		if err := v.Set(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if len(v) != 4 || v[1].String() != "10.1.2.3/32" {
		t.Errorf("read %v", v)
	}
	for bad, says := range map[string]string{
		"": "give it as", ",": "give it as", "10.0.0.0/8,": "give it as", "10.0.0.0/8 10.1.0.0/16": "give it as", "10.0.0.0/33": "give it as", "10.0.0.0/-1": "give it as",
		"10.0.0.0/08": "give it as", "10.0.0/8": "give it as", "010.0.0.0/8": "give it as", "localhost": "give it as", "localhost/8": "give it as", "fe80::%eth0/64": "give it as",
		"fe80::1%eth0": "give it as", "10.0.0.1": "10.0.0.1/32", "::1": "::1/128", "::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:10.0.0.0/104": "IPv4",
		"10.0.0.1/8": "give 10.0.0.0/8", "fd00::1/8": "give fd00::/8", "0.0.0.0/0": "everybody", "::/0": "everybody",
	} {
		if err := v.Set(bad); err == nil || !strings.Contains(err.Error(), says) || len(v) != 4 {
			t.Errorf("%q: %v; want an error that says %q; it has %v", bad, err, says, v)
		}
	}
}
