package client

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/token"
)

// maxTokenFile is far more than a token has.
const maxTokenFile = 4096

// A caller is who the server takes this program for.
type caller struct {
	file string // empty: the token stays

	mu     sync.Mutex
	header keyfob.Secret // value of Authorization; empty over a Unix socket
}

func newCaller(secret keyfob.Secret, file string, local bool) (*caller, error) {
	text, field := secret.Reveal(), "Config.Token"
	switch {
	case text != "" && file != "":
		return nil, badInput(field, "is set, and Config.TokenFile as well; set one")
	case text == "" && file == "" && local:
		return &caller{}, nil
	case text == "" && file == "":
		return nil, badInput(field, "is not set, nor is Config.TokenFile; give a token of the server's space keyfob")
	case file != "":
		field = "Config.TokenFile"
		var err error
		if text, err = readTokenFile(file); err != nil {
			return nil, badInput(field, "cannot be read: %v", err)
		}
	}
	if _, err := token.Parse(text); err != nil {
		return nil, badInput(field, "does not hold a keyed token; it has to be one of the server's space keyfob")
	}
	return &caller{file: file, header: keyfob.NewSecret("Bearer " + text)}, nil
}

// readTokenFile returns the one line of a file. The error does not repeat it.
func readTokenFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return "", err
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if len(b) > maxTokenFile || strings.ContainsAny(line, "\r\n") {
		return "", errors.New("it has more than one line")
	}
	return line, nil
}

// authorization is the value of the header; empty: none is sent.
func (c *caller) authorization() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header.Reveal()
}

// refresh reads the token's file again, after the server did not accept what was
// sent. It reports whether there is another token now.
func (c *caller) refresh(sent string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file == "" {
		return false
	}
	if !token.Equal(c.header.Reveal(), sent) {
		return true // somebody else was faster
	}
	text, err := readTokenFile(c.file)
	if err != nil {
		return false
	}
	if _, err := token.Parse(text); err != nil || token.Equal("Bearer "+text, sent) {
		return false
	}
	c.header = keyfob.NewSecret("Bearer " + text)
	return true
}
