package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keyfob-dev/keyfob/internal/needs"
	"github.com/keyfob-dev/keyfob/token"
)

// terminal opens a pseudo-terminal: what a user's side reads and writes, and the
// side of the program.
func terminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	needs.That(t, err == nil, "needs pseudo-terminals")
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return user, program
}

// Bytes are not written to a terminal.
func TestRawIsNotForTerminals(t *testing.T) {
	t.Parallel()
	user, program := terminal(t)
	cmd := exec.Command(keyfobBinary(t), "token", "--format", "raw")
	cmd.Env = environment()
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = program, &stderr
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitWrong || !strings.Contains(stderr.String(), "does not write bytes to a terminal") {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	program.Close()
	if got, _ := io.ReadAll(user); len(got) != 0 {
		t.Errorf("on the terminal: %q", got)
	}
	// Text is.
	user, program = terminal(t)
	cmd = exec.Command(keyfobBinary(t), "token")
	cmd.Env = environment()
	cmd.Stdout = program
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	program.Close()
	if got, _ := io.ReadAll(user); len(bytes.TrimSpace(got)) != 43 {
		t.Errorf("on the terminal: %d bytes", len(got))
	}
}

// A token that is typed at a terminal is asked for, and not shown.
func TestTypedTokenIsNotShown(t *testing.T) {
	t.Parallel()
	user, program := terminal(t)
	cmd := exec.Command(keyfobBinary(t), "token", "inspect")
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
	shown := make([]byte, 0, 4096)
	read := func(until string) {
		for !bytes.Contains(shown, []byte(until)) {
			b := make([]byte, 256)
			n, err := user.Read(b)
			if err != nil {
				t.Fatalf("%q, %v", shown, err)
			}
			shown = append(shown, b[:n]...)
		}
	}
	read("Token: ")
	for end := time.Now().Add(30 * time.Second); ; { // until it has switched the echo off
		if time.Now().After(end) {
			t.Fatal("the terminal shows what is typed")
		}
		state, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	secret := token.New("sk").Reveal()
	fmt.Fprintln(user, secret)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, &stdout)
	}
	read("\n")
	if bytes.Contains(shown, []byte(secret[:20])) || !strings.Contains(stdout.String(), "checksum  ok") {
		t.Errorf("on the terminal: %q; on stdout: %q", shown, &stdout)
	}
}

// Who breaks a question off has a terminal again that shows what is typed.
func TestInterruptedQuestion(t *testing.T) {
	t.Parallel()
	user, program := terminal(t)
	cmd := exec.Command(keyfobBinary(t), "compare")
	cmd.Env = environment()
	cmd.Stdin = program
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	asked := make([]byte, 1)
	if _, err := io.ReadFull(stderr, asked); err != nil { // it asks
		t.Fatal(err)
	}
	echo := func() bool {
		state, err := unix.IoctlGetTermios(int(user.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	for end := time.Now().Add(30 * time.Second); echo(); { // until what is typed is hidden
		if time.Now().After(end) {
			cmd.Process.Kill()
			t.Fatal("the terminal shows what is typed")
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(stderr)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitUndecided || !strings.Contains(string(said), "ended by a signal") {
		t.Errorf("exit code %d, %q", code, said)
	}
	if !echo() {
		t.Error("the terminal does not show what is typed any more")
	}
}

// A long work shows its progress on a terminal, and on nothing else.
func TestProgress(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"token", "otp"} {
		user, program := terminal(t)
		cmd := exec.Command(keyfobBinary(t), name, "-n", "300000")
		cmd.Env = environment()
		cmd.Stderr = program
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		program.Close()
		shown, _ := io.ReadAll(user)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if !bytes.Contains(shown, []byte("/300000")) {
			t.Errorf("%s, on the terminal: %q", name, shown)
		}
	}
}

// The QR code of a seed is drawn on stderr where that is a terminal, with its own
// colours, and stdout has the seed and its URI alone.
func TestQROnTerminal(t *testing.T) {
	t.Parallel()
	user, program := terminal(t)
	cmd := exec.Command(keyfobBinary(t), "oath", "seed", "--account", "alice", "--qr")
	cmd.Env = environment()
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, program
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Close()
	shown, _ := io.ReadAll(user)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	lines := strings.Split(stdout.String(), "\n")
	if len(lines) != 3 || lines[2] != "" {
		t.Fatalf("on stdout: %q", lines)
	}
	drawn := strings.ReplaceAll(string(shown), "\r", "")
	if !strings.HasPrefix(drawn, "\x1b[97;40m") {
		t.Errorf("no colours: %.20q", drawn)
	}
	rows := modules(t, drawn)
	isCode(t, lines[1], len(rows[0]), func(x, y int) bool { return rows[y][x] })
}
