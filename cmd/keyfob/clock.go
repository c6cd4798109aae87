package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newClock(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clock COMMAND",
		Short: "The highest time that the database has seen",
		Long: `The highest time that the database has seen. A server works with it while the clock is
behind: what has expired stays expired, and nothing else expires.`,
		Example: "  keyfob clock accept",
		GroupID: groupServer,
	}
	cmd.AddCommand(newClockAccept(u))
	return cmd
}

func newClockAccept(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "accept [flags]",
		Short: "Take the clock's time although it is behind",
		Long: `Take the clock's time although the database has seen a later one: the way back after a
clock that was wrongly ahead. See first that the clock is right now. What had expired
in the meantime is accepted again until its expiry.

It works on the data of a server that is stopped. Where the clock is not behind,
nothing is changed, and the exit code is 1.`,
		Example: `  keyfob clock accept
  keyfob clock accept --data /srv/keyfob`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	s := addSite(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := s.find(); err != nil {
			return err
		}
		return u.acceptClock(s)
	}
	return cmd
}

func (u *ui) acceptClock(s *site) (err error) {
	ctx, err := s.openStopped()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	back, err := s.authority.AcceptClock(ctx)
	if err != nil {
		return undecided("the clock was not accepted: %v; start again", err)
	}
	if back == 0 {
		return no("the clock is not behind, and nothing was changed")
	}
	u.note("the highest time that the database has seen was set back by %s, to the clock's", back)
	return nil
}
