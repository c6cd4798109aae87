package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A password that is typed to be hashed is asked for twice, and not shown. Where the
// second is another, nothing is hashed.
func TestTypedPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first, second string
		code          int
	}{
		{"correct horse", "correct horse", 0},
		{"correct horse", "correct house", exitWrong},
	} {
		user, program := terminal(t)
		cmd := exec.Command(keyfobBinary(t), "passhash")
		cmd.Env = environment()
		var stdout strings.Builder
		cmd.Stdin, cmd.Stdout, cmd.Stderr = program, &stdout, program
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		patience := time.AfterFunc(20*time.Second, func() { // then reading fails
			cmd.Process.Kill()
			program.Close()
		})
		defer patience.Stop()
		var shown []byte
		for _, step := range [][2]string{{"Password: ", c.first}, {"Again: ", c.second}} {
			for !bytes.Contains(shown, []byte(step[0])) {
				b := make([]byte, 256)
				n, err := user.Read(b)
				if err != nil {
					t.Fatalf("%q, %v", shown, err)
				}
				shown = append(shown, b[:n]...)
			}
			for echo := true; echo; { // the wait for the echo to go off; patience ends it
				state, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
				if err != nil {
					t.Fatal(err)
				}
				if echo = state.Lflag&unix.ECHO != 0; echo {
					time.Sleep(time.Millisecond)
				}
			}
			fmt.Fprintln(user, step[1])
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != c.code || strings.HasPrefix(stdout.String(), "$argon2id$") != (code == 0) {
			t.Errorf("%s and %s: exit code %d, %q", c.first, c.second, code, &stdout)
		}
		if bytes.Contains(shown, []byte("horse")) || bytes.Contains(shown, []byte("house")) {
			t.Errorf("on the terminal: %q", shown)
		}
	}
}
