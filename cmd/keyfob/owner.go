package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob"
	"github.com/keyfob-dev/keyfob/server"
)

// owner is the subject of the API key of the space keyfob that may do everything.
const owner = "owner"

func newOwner(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "owner COMMAND",
		Short:   "The token that may do everything",
		Long:    "The owner's token, which is in owner.token after the first run and may do everything.",
		Example: "  keyfob owner reset",
		GroupID: groupServer,
	}
	cmd.AddCommand(newOwnerReset(u))
	return cmd
}

// makeOwner makes the owner's API key and its file owner.token, on the first run
// only, and never a second one. It reports whether it did. The caller holds the
// lock on the database.
//
// That it was a first run cannot be seen from database and file alone: a key
// without a file may be one whose token got lost when the process died, or one
// whose file the operator has moved to a safe place. So an empty file,
// owner.token.pending, is made to last before a key is issued or, by owner reset,
// revoked; the token goes into it, and only when it lasts as well does the file get
// its final name. A start that finds the pending file knows that this was
// interrupted: nobody has been told of the newest key, and the older ones are to
// end, so that all are revoked.
func makeOwner(a *keyfob.Authority, dir dataDir, log *slog.Logger) (made bool, err error) {
	// Once begun it is not broken off by a signal.
	ctx := keyfob.WithActor(context.Background(), "keyfob")
	keyring := a.In(keyfob.OwnSpace)
	pending, err := isThere(dir.file(pendingFile))
	if err == nil && pending {
		log.Warn("the making of the owner's token was interrupted; all keys of an owner are revoked, and one is issued anew")
		_, err = renewOwner(ctx, keyring, dir, "first run", "the making of the owner's token was interrupted")
	} else if err == nil {
		var done bool
		if done, err = hasOwner(ctx, keyring, dir); err == nil && done {
			return false, nil
		}
		if err == nil {
			err = issueOwner(ctx, keyring, dir, "first run")
		}
	}
	if err != nil {
		return false, ownerNotMade(err)
	}
	return true, nil
}

// ownerNotMade says why there is no owner's token.
func ownerNotMade(err error) error {
	if errors.Is(err, keyfob.ErrUnavailable) {
		return undecided("the owner's token could not be made: %v; start again", err)
	}
	return wrong("the owner's token could not be made: %v; see to the data directory and start again", err)
}

// hasOwner reports whether the first run has been done: its file is there, or a
// key of the space keyfob was ever issued, of which the owner's is the first. The
// log tells of it, even when the key is purged.
func hasOwner(ctx context.Context, keyring *keyfob.Authority, dir dataDir) (bool, error) {
	if there, err := isThere(dir.file(ownerFile)); there || err != nil {
		return there, err
	}
	page, err := keyring.Events().List(ctx, keyfob.EventFilter{Type: "apikey.issued", Limit: 1})
	return len(page.Items) > 0, err
}

// renewOwner revokes all keys of an owner, however many there are by now, and
// issues one anew. It returns how many it revoked.
func renewOwner(ctx context.Context, keyring *keyfob.Authority, dir dataDir, name, reason string) (int, error) {
	if err := beginOwner(dir); err != nil {
		return 0, err
	}
	n, err := revokeOwners(ctx, keyring, reason)
	if err != nil {
		return n, err
	}
	return n, issueOwner(ctx, keyring, dir, name)
}

// revokeOwners revokes every key that may do everything, whoever made it and
// whatever its state is, unless that is final.
func revokeOwners(ctx context.Context, keyring *keyfob.Authority, reason string) (n int, err error) {
	filter := keyfob.Filter{Kind: keyfob.KindAPIKey, Limit: 1000}
	for {
		page, err := keyring.List(ctx, filter)
		if err != nil {
			return n, err
		}
		for _, key := range page.Items {
			if !slices.Contains(key.Scopes, server.OwnerScope) || key.State == keyfob.StateRevoked {
				continue
			}
			if err := keyring.Revoke(ctx, key.ID, reason); err != nil {
				return n, err
			}
			n++
		}
		if page.Next == "" {
			return n, nil
		}
		filter.After = page.Next
	}
}

// beginOwner makes the pending file, and makes it last.
func beginOwner(dir dataDir) error {
	f, err := os.OpenFile(dir.file(pendingFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	// One that somebody else made may be open to others.
	return errors.Join(f.Chmod(0o600), f.Sync(), syncDirectory(string(dir)))
}

// issueOwner issues the owner's key and writes its token, step by step.
func issueOwner(ctx context.Context, keyring *keyfob.Authority, dir dataDir, name string) error {
	if err := beginOwner(dir); err != nil {
		return err
	}
	issued, err := keyring.Issue(ctx, keyfob.APIKey{
		Subject: owner, Name: name, Scopes: []string{server.OwnerScope},
	})
	if err != nil {
		return err
	}
	pending := dir.file(pendingFile)
	f, err := os.OpenFile(pending, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
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
