package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob"
)

func newOwnerReset(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reset [flags]",
		Short: "Revoke all owners' tokens and make a new one",
		Long: `Revoke every key with the scope owner, and write the token of a new one to
owner.token in the data directory: for a token that got lost, or into the wrong hands.
All other keys stay as they are.

It works on the data of a server that is stopped. Should it be interrupted, the next
start of the server, or the next owner reset, does the same to its end.`,
		Example: `  keyfob owner reset
  keyfob owner reset --data /srv/keyfob`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := addSite(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.find(); err != nil {
			return err
		}
		return u.resetOwner(s)
	}
	return cmd
}

func (u *ui) resetOwner(s *site) (err error) {
	ctx, err := s.openStopped()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	n, err := renewOwner(ctx, s.authority.In(keyfob.OwnSpace), s.dir, "owner reset", "owner reset")
	if err != nil {
		return ownerNotMade(err)
	}
	u.note("%s revoked; the new token is in %s", count(n, "key"), s.dir.file(ownerFile))
	return nil
}
