package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// turn is about how long one side works until the other has its turn.
const turn = 150 * time.Millisecond

// An env is what rows are measured in.
type env struct {
	ctx    context.Context
	dir    string // for the run, and then removed
	rounds int
	turn   time.Duration
	small  bool

	keyfob func() (string, error) // builds the command once; its path
	ends   []func() error         // of the row
}

func newEnv(ctx context.Context, o options) (*env, error) {
	dir, err := os.MkdirTemp(o.dir, "keyfob-bench-")
	if err != nil {
		return nil, err
	}
	e := &env{ctx: ctx, dir: dir, rounds: o.rounds, turn: turn, small: o.small}
	if o.small {
		e.turn = 0
	}
	e.keyfob = sync.OnceValues(func() (string, error) {
		root, err := output(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/keyfob-dev/keyfob"))
		if err != nil {
			return "", err
		}
		return e.build(strings.TrimSpace(root), "./cmd/keyfob")
	})
	return e, nil
}

func (e *env) close() error { return os.RemoveAll(e.dir) }

// onEnd has f called when the row is measured, the last one first.
func (e *env) onEnd(f func() error) { e.ends = append(e.ends, f) }

func (e *env) endRow() error {
	var errs []error
	for _, f := range slices.Backward(e.ends) {
		errs = append(errs, f())
	}
	e.ends = nil
	return errors.Join(errs...)
}

// size is how much of something a row is measured with; the test has little.
func (e *env) size(n int) int {
	if e.small {
		return min(n, 20)
	}
	return n
}

// folder makes a folder for the row.
func (e *env) folder() (string, error) {
	dir, err := os.MkdirTemp(e.dir, "row-")
	if err == nil {
		e.onEnd(func() error { return os.RemoveAll(dir) })
	}
	return dir, err
}

// build builds a command of the module that dir is in, without the C library, which
// Go's own package net is otherwise linked with where there is a C compiler.
func (e *env) build(dir, pkg string) (string, error) {
	path := filepath.Join(e.dir, filepath.Base(pkg))
	cmd := exec.CommandContext(e.ctx, "go", "build", "-o", path, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return path, err
}

// command is a side that starts a program, which does per operations each time.
// What it prints goes nowhere.
func (e *env) command(per int, path string, args ...string) side {
	var spent time.Duration
	return side{
		per: per,
		run: func(n int) error {
			for range n {
				cmd := exec.CommandContext(e.ctx, path, args...)
				if _, err := output(cmd, discard); err != nil {
					return err
				}
				spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			return nil
		},
		cpu: func() (time.Duration, error) { return spent, nil },
	}
}

// program is command for a program that may be missing.
func (e *env) program(debianPackage string, per int, name string, args ...string) (side, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return side{}, skip(fmt.Sprintf("needs %s: install the Debian package %s", name, debianPackage))
	}
	return e.command(per, path, args...), nil
}

// discard has the program write to the null device itself.
func discard(cmd *exec.Cmd) { cmd.Stdout = nil }

// output runs a command to its end. The error has what it says of itself.
func output(cmd *exec.Cmd, settings ...func(*exec.Cmd)) (string, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	for _, set := range settings {
		set(cmd)
	}
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
