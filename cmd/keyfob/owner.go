package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"

	"github.com/keyfob-dev/keyfob"
)

// The owner: the API key of the space keyfob that may do everything. It is both
// its subject and its scope.
const owner = "owner"

// makeOwner makes the owner's API key and its file owner.token, on the first run
// only, and never a second one. It reports whether it did. The caller holds the
// lock on the database.
//
// That it was a first run cannot be seen from database and file alone: a key
// without a file may be one whose token got lost when the process died, or one
// whose file the operator has moved to a safe place. So an empty file,
// owner.token.pending, is made to last before the key is issued; the token goes
// into it, and only when it lasts as well does the file get its final name. A
// start that finds the pending file knows that the first run was interrupted:
// nobody has been told of the keys issued so far, and they are revoked.
func makeOwner(a *keyfob.Authority, dir dataDir, log *slog.Logger) (made bool, err error) {
	// Once begun it is not broken off by a signal.
	ctx := keyfob.WithActor(context.Background(), "keyfob")
	keyring := a.In(keyfob.OwnSpace)
	pending, err := isThere(dir.file(pendingFile))
	if err == nil && pending {
		log.Warn("the first run was interrupted; what it issued to the owner is revoked and issued anew")
		err = revokeOwners(ctx, keyring)
	} else if err == nil {
		var done bool
		if done, err = hasOwner(ctx, keyring, dir); err == nil && done {
			return false, nil
		}
	}
	if err == nil {
		err = issueOwner(ctx, keyring, dir)
	}
	if errors.Is(err, keyfob.ErrUnavailable) {
		return false, undecided("the owner's token could not be made: %v; start again", err)
	}
	if err != nil {
		return false, wrong("the owner's token could not be made: %v; see to the data directory and start again", err)
	}
	return true, nil
}

// hasOwner reports whether the first run has been done: its file is there, or a
// key of the owner's was ever issued.
func hasOwner(ctx context.Context, keyring *keyfob.Authority, dir dataDir) (bool, error) {
	if there, err := isThere(dir.file(ownerFile)); there || err != nil {
		return there, err
	}
	page, err := keyring.List(ctx, keyfob.Filter{Subject: owner, Limit: 1})
	return len(page.Items) > 0, err
}

// revokeOwners revokes every key of the owner's.
func revokeOwners(ctx context.Context, keyring *keyfob.Authority) error {
	filter := keyfob.Filter{Subject: owner, States: []keyfob.State{keyfob.StateActive}}
	for {
		page, err := keyring.List(ctx, filter)
		if err != nil {
			return err
		}
		for _, key := range page.Items {
			if err := keyring.Revoke(ctx, key.ID, "the first run was interrupted; nobody holds this token"); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		filter.After = page.Next
	}
}

// issueOwner issues the owner's key and writes its token, step by step.
func issueOwner(ctx context.Context, keyring *keyfob.Authority, dir dataDir) error {
	pending := dir.file(pendingFile)
	f, err := os.OpenFile(pending, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	// One that somebody else made may be open to others.
	if err := errors.Join(f.Chmod(0o600), f.Sync(), syncDirectory(string(dir))); err != nil {
		return err
	}
	issued, err := keyring.Issue(ctx, keyfob.APIKey{
		Subject: owner, Name: "first run", Scopes: []string{owner},
	})
	if err != nil {
		return err
	}
	if _, err := f.WriteString(issued.Secret.Reveal() + "\n"); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(pending, dir.file(ownerFile)); err != nil {
		return err
	}
	return syncDirectory(string(dir))
}

// syncDirectory makes the names of files in it last.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it cannot be asked to, and needs not
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
