package main

import (
	"net/http"
	"strings"
	"testing"
)

// A session of nobody, as before a sign-in, is told as one.
func TestSessionOfNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := serve(t, dir).caller()
	issued := c.mustPost(t, http.StatusCreated, sessions, map[string]any{})
	id := issued.Credential.ID
	if got := command(t, dir, issued.Token+"\n", "session", "verify"); got.code != 0 || got.stdout != "ok "+id+"\n" {
		t.Errorf("verify: exit code %d, %q", got.code, got.stdout)
	}
	if got := must(t, dir, "", "session", "show", id); strings.Contains(got, "subject") || !strings.Contains(got, "idle ") {
		t.Errorf("show: %s", got)
	}

	// It ends in the sign-in that takes its place, which no command does.
	in := c.mustPost(t, http.StatusCreated, sessions, map[string]any{"subject": "alice", "from": issued.Credential.Versions[0].ID})
	if got := command(t, dir, issued.Token+"\n", "session", "verify"); got.code != exitNo || got.stdout != "replaced\n" {
		t.Errorf("after the sign-in: exit code %d, %q", got.code, got.stdout)
	}
	if got := must(t, dir, in.Token+"\n", "session", "verify"); got != "ok "+in.Credential.ID+" alice" {
		t.Errorf("who has signed in: %q", got)
	}
	if got := must(t, dir, "", "session", "list", "--state", "replaced"); strings.Count(got, "\n") != 1 || !strings.Contains(got, id) {
		t.Errorf("list: %s", got)
	}
}

func TestShortened(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "dark": "dark", strings.Repeat("a", 32): strings.Repeat("a", 32), strings.Repeat("猫", 32): strings.Repeat("猫", 32),
		strings.Repeat("a", 33): strings.Repeat("a", 31) + "…", strings.Repeat("猫", 40): strings.Repeat("猫", 31) + "…",
	} {
		if got := shortened(text); got != want {
			t.Errorf("shortened(%q) = %q", text, got)
		}
	}
}
