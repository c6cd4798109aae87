package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

func newInit(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init [flags]",
		Short: "Make what the first run of a server makes, without one",
		Long: `Make root key, database and the owner's token in an empty data directory, as the
first keyfob serve does, and start no server. What is there of a first run that was
interrupted is completed.

Where all that has been made, nothing is changed, and the exit code is 1.`,
		Example: `  keyfob init
  keyfob init --data /srv/keyfob --root-key-file /run/credentials/root.key`,
		GroupID:           groupServer,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := addSite(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.find(); err != nil {
			return err
		}
		return u.init(cmd.Context(), s)
	}
	return cmd
}

// init makes what the first run makes.
func (u *ui) init(ctx context.Context, s *site) (err error) {
	done := func() error {
		return no("%s is set up already, and nothing was changed; start the server with: keyfob serve%s", s.dir, s.dataFlag())
	}
	if s.isDone() {
		return done()
	}
	prepareProcess()
	if err := s.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	made, err := makeOwner(s.authority, s.dir, slog.New(slog.NewTextHandler(u.stderr, nil)))
	if err != nil {
		return err
	}
	if !made {
		return done()
	}
	fmt.Fprintf(u.stderr, "%sStart the server:\n\n  keyfob serve%s\n", s.made(), s.dataFlag())
	return nil
}

// isDone reports whether the first run is seen to be done without a look into the
// database, which a server may have open.
func (s *site) isDone() bool {
	made, err := isThere(s.dir.file(ownerFile))
	pending, perr := isThere(s.dir.file(pendingFile))
	database, derr := s.hasDatabase()
	return made && !pending && database && errors.Join(err, perr, derr) == nil
}
