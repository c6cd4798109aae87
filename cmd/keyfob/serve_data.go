package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/store/sqlite"
)

// A site is what a server keeps: its data directory, its root key and, when it is
// open, its database.
type site struct {
	path        *string // as it was given
	dir         dataDir
	rootKeyFile *string
	madeKey     string // path of the root key that was made just now

	store     *sqlite.Store
	authority *keyfob.Authority
}

// addSite adds the flags of a command that works on the data itself.
func addSite(cmd *cobra.Command) *site {
	s := &site{path: addDataFlag(cmd)}
	s.rootKeyFile = addText(cmd, "root-key-file", "FILE", "", "file with the root key, made by the first run; the default is root.key in the data directory")
	fromEnv(cmd.Flags(), "root-key-file", "KEYFOB_ROOT_KEY_FILE")
	return s
}

// find finds the data directory, which need not be there.
func (s *site) find() (err error) {
	s.dir, err = findDataDir(*s.path)
	return err
}

// open opens the database with its root key, and makes what is not there in an
// empty data directory. Two that start at once agree: the root key is never
// replaced, and the database lets in one.
func (s *site) open(ctx context.Context) error {
	if err := makeDataDir(s.dir); err != nil {
		return err
	}
	var err error
	if s.dir, err = findDataDir(string(s.dir)); err != nil { // now that it is there
		return err
	}
	key, err := s.rootKey()
	if err != nil {
		return err
	}
	s.store, err = sqlite.Open(s.dir.file(databaseFile))
	if err != nil {
		return s.notOpened(err)
	}
	s.authority, err = keyfob.Open(ctx, keyfob.Config{Store: s.store, RootKey: key})
	if err != nil {
		return errors.Join(s.notOpened(err), s.store.Close())
	}
	return nil
}

// openStopped opens the data of a server that is stopped, which must be there. The
// context is of whoever runs the command.
func (s *site) openStopped() (context.Context, error) {
	old, err := s.hasDatabase()
	if err != nil {
		return nil, wrong("the data directory cannot be read: %v; give another with --data", err)
	}
	if !old {
		return nil, wrong("there is no database in %s; give another directory with --data, or begin with: keyfob init", s.dir)
	}
	prepareProcess()
	ctx := keyfob.WithActor(context.Background(), "local:"+strconv.Itoa(os.Getuid()))
	return ctx, s.open(ctx)
}

// close closes what open opened.
func (s *site) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(s.authority.Close(ctx), s.store.Close()); err != nil {
		return undecided("the database could not be closed well: %v", err)
	}
	return nil
}

// dataFlag is what to add to a command that shall find this data directory.
func (s *site) dataFlag() string {
	if *s.path == "" {
		return ""
	}
	return " --data " + shellQuote(string(s.dir))
}

// rootKey returns the root key: from the environment, or from its file, which is
// made when there is no database that would need an older one.
func (s *site) rootKey() (keyfob.RootKey, error) {
	if text := takeEnv("KEYFOB_ROOT_KEY"); text != "" {
		if *s.rootKeyFile != "" {
			return keyfob.RootKey{}, wrong("KEYFOB_ROOT_KEY holds a root key, and --root-key-file names another; give one")
		}
		key, err := keyfob.ParseRootKey(text)
		if err != nil {
			return key, wrong("KEYFOB_ROOT_KEY: %v", err)
		}
		return key, nil
	}
	path := *s.rootKeyFile
	if path == "" {
		path = s.dir.file(rootKeyFile)
	}
	// First the database: it is only ever made after its key, so that one that is
	// there now, and a key that is then missing, were parted by somebody.
	old, err := s.hasDatabase()
	if err != nil {
		return keyfob.RootKey{}, wrong("the data directory cannot be read: %v; give another with --data", err)
	}
	key, err := keyfob.ReadRootKey(path)
	if errors.Is(err, fs.ErrNotExist) && old {
		return key, wrong("the database %s is there, and its root key %s is not; put the key back, or name its file with --root-key-file", s.dir.file(databaseFile), path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = keyfob.CreateRootKey(path); err == nil {
			s.madeKey = path
			return key, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return key, wrong("%v; give another file with --root-key-file", err)
		}
		key, err = keyfob.ReadRootKey(path) // somebody else was faster
	}
	if err != nil {
		return key, wrong("%v", err)
	}
	return key, nil
}

// hasDatabase reports whether there is a database, or what is left of one.
func (s *site) hasDatabase() (bool, error) {
	for _, suffix := range []string{"", "-wal"} {
		if there, err := isThere(s.dir.file(databaseFile) + suffix); there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// notOpened says why the data cannot be opened, and what would be right.
func (s *site) notOpened(err error) error {
	switch {
	case errors.Is(err, keyfob.ErrInUse):
		return no("a server, or a command like keyfob init, is at work on %s already; stop it, or give this one a --data of its own", s.dir)
	case errors.Is(err, keyfob.ErrNewerSchema):
		return wrong("a newer keyfob has written the database %s; start that one, or give another directory with --data", s.dir.file(databaseFile))
	case errors.Is(err, keyfob.ErrForeign):
		return wrong("%s is no database of keyfob's, and was left as it is; move it away, or give another directory with --data", s.dir.file(databaseFile))
	case errors.Is(err, keyfob.ErrRootKey):
		return wrong("%s; put the right key back, or name its file with --root-key-file", strings.TrimPrefix(err.Error(), "keyfob: "))
	case errors.Is(err, fs.ErrPermission):
		return wrong("the data directory cannot be written: %v; give another with --data", err)
	case errors.Is(err, keyfob.ErrUnavailable):
		return undecided("the database cannot be opened: %v", err)
	}
	return wrong("the data directory cannot be used: %v", err)
}

// openSocket makes the Unix socket of a data directory that is locked. What a
// server that died has left there goes.
func openSocket(dir dataDir) (*net.UnixListener, error) {
	err := errors.New("all paths that are possible are too long")
	for _, path := range socketPaths(dir) {
		if path != dir.file(socketFile) {
			if err = makePrivate(filepath.Dir(path)); err != nil {
				continue
			}
		}
		if err := removeStale(path); err != nil {
			return nil, err
		}
		l, lerr := listenSocket(path)
		if lerr == nil {
			return l, nil
		}
		err = lerr
	}
	return nil, wrong("no Unix socket can be made for %s: %v; give a shorter path with --data", dir, err)
}

// removeStale removes a socket, and nothing else.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return wrong("%s is there, and is no socket; move it away", path)
	case err == nil:
		err = os.Remove(path)
	}
	if err != nil {
		return wrong("the socket of a server that is gone cannot be removed: %v", err)
	}
	return nil
}
