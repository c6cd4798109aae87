// Package needs says what a test needs from the machine that it runs on.
//
// On a person's machine, a test whose need is not met skips with a reason. With
// KEYFOB_TEST_NO_SKIP=1, as in CI, it fails instead: there a test that does not
// run would pass for one that does.
//
// A test that needs a program also names the Debian package that brings it, and
// scripts/test holds the same pair in its list debian_packages.
//
// Only tests import this package.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// NoSkip is the environment variable that lets nothing skip when it is 1.
const NoSkip = "KEYFOB_TEST_NO_SKIP"

// Binary returns the path of the program called name. Without it the test ends:
// it skips, or fails when nothing may skip. debianPackage is what to install.
func Binary(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unmet(t, "needs the program "+name+": install the Debian package "+debianPackage+", or run scripts/test, which does")
	}
	return path
}

// That ends the test unless cond holds: the test skips, or fails when nothing
// may skip. reason says what is missing, as in "needs IPv6 on the loopback".
func That(t testing.TB, cond bool, reason string) {
	t.Helper()
	if !cond {
		unmet(t, reason)
	}
}

func unmet(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(NoSkip) == "1" {
		t.Fatalf("%s (nothing may skip: %s=1)", reason, NoSkip)
	}
	t.Skip(reason)
}
