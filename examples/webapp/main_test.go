package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// It starts on nothing, ends when it is asked to, and starts again on what is there.
func TestRun(t *testing.T) {
	t.Parallel()
	data := t.TempDir() + "/webapp-data"
	for range 2 {
		ctx, stop := context.WithCancel(t.Context())
		out, in := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			err := run(ctx, in, "localhost:0", data)
			in.CloseWithError(err)
			ended <- err
		}()
		url, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.Get(strings.TrimSpace(url) + "/signin")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%d", answer.StatusCode)
		}
		stop()
		if err := <-ended; err != nil && err != http.ErrServerClosed {
			t.Errorf("it ended with %v", err)
		}
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account(alice).press("#signout")
	s.browser().visit("/signup").fill("email", mallory).submit()
	s.browser().mailed(mallory, "Welcome")
	rows := func() (sessions, users int) {
		page, err := s.app.auth.List(t.Context(), keyfob.Filter{Kind: keyfob.KindSession})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.app.users.db.QueryRow(`SELECT count(*) FROM users`).Scan(&users); err != nil {
			t.Fatal(err)
		}
		return len(page.Items), users
	}
	for _, want := range [][2]int{{1, 2}, {0, 1}} {
		if err := s.app.purge(t.Context(), s.now().Add(-7*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if sessions, users := rows(); sessions != want[0] || users != want[1] {
			t.Errorf("%d sessions and %d users are left, want %v", sessions, users, want)
		}
		s.wait(8 * 24 * time.Hour)
	}
	if b := s.browser(); b.signIn(alice, password).signedIn() != alice {
		t.Error("purge removed an account")
	}
}

// Nobody else of the machine reads what is kept, also in a folder that was there before.
func TestModes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	files, err := os.ReadDir(s.data)
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if info, err := file.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

// What is on the disk, but for the mails, signs nobody in; nor does what was logged.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	app, recovery := b.enroll()
	key := b.visit("/keys").fill("name", "backup").press("#issue").all("#key")[0]
	link := s.browser().reset(alice)
	_, token, _ := strings.Cut(link, "token=")
	kept := s.onDisk() + logged.String()
	for name, secret := range map[string]string{
		"password": password, "cookie": b.cookie(sessionCookie), "key": key, "link": token, "recovery code": recovery[0],
		"seed": app.seed.Base32(), "raw seed": string(app.seed.Bytes()),
	} {
		if secret == "" || strings.Contains(kept, secret) {
			t.Errorf("%s: it is kept, or there was none", name)
		}
	}
	if !strings.Contains(kept, alice) {
		t.Error("nothing was read")
	}
}

// When nothing can be decided, nobody is signed in, and nothing private is shown.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.account(alice)
	if err := s.app.auth.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text := b.visit("/").text(); strings.Contains(text, alice) || b.at() != "/" {
		t.Errorf("it shows\n%s", text)
	}
}
