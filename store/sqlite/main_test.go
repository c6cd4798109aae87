package sqlite

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// The test binary runs itself as another process that has a database open: the
// variable says what that process does, and childPath on which file.
const (
	childTask = "KEYFOB_SQLITE_TEST_TASK"
	childPath = "KEYFOB_SQLITE_TEST_PATH"
)

var childTasks = map[string]func(path string) error{
	"open":  childOpen,
	"hold":  childHold,
	"write": childWrite,
}

func TestMain(m *testing.M) {
	if task := childTasks[os.Getenv(childTask)]; task != nil {
		if err := task(os.Getenv(childPath)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A child is another process.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner // of its standard output
}

func startChild(t testing.TB, task, path string, with ...func(*exec.Cmd)) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(exe)}
	c.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(out)
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	for _, set := range with {
		set(c.Cmd)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	return c
}

// line reads a line; it is empty when there is none.
func (c *child) line() string {
	c.lines.Scan()
	return c.lines.Text()
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (c *child) kill() {
	c.Process.Kill()
	c.Wait()
}

// childOpen opens the database and says what came of it.
func childOpen(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	return s.Close()
}

// childHold has the database open until it is killed, or whoever started it is
// gone.
func childHold(path string) error {
	if _, err := Open(path); err != nil {
		return err
	}
	fmt.Println("open")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// childWrite issues keys, in several goroutines, and prints the id of each
// credential once it is acknowledged, until it is killed.
func childWrite(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	ids := make(chan string)
	for range 8 {
		go func() {
			for {
				item, change := newIssue()
				if err := s.Apply(background, change); err != nil {
					fmt.Println("failed:", err)
					os.Exit(1)
				}
				ids <- item.Credential.ID
			}
		}()
	}
	for id := range ids {
		fmt.Println(id)
	}
	return nil
}
