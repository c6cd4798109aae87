package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/token"
)

func newTokenInspect(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect [--json] < FILE",
		Short: "Look at the form of a keyed token, off line",
		Long: `Look at the form of a keyed token on stdin, without a server: its prefix, its public
id and whether its checksum is right. The secret is not shown. Whether the token was
ever issued, and whether it is still in force, only the server knows that issued it:
see keyfob apikey verify.

The exit code is 1 when it is malformed; the line says why.`,
		Example: `  keyfob token inspect < alice.key
  keyfob token --prefix sk_live | keyfob token inspect --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(*cobra.Command, []string) error {
		text, err := u.secretLine("Token")
		if err != nil {
			return err
		}
		return u.inspect(text, *asJSON)
	}
	return cmd
}

func (u *ui) inspect(text string, asJSON bool) error {
	look := struct {
		Valid   bool   `json:"valid"`
		Reason  string `json:"reason"`
		Problem string `json:"problem,omitempty"`
		Prefix  string `json:"prefix,omitempty"`
		ID      string `json:"id,omitempty"`
	}{Valid: true, Reason: "ok"}
	t, err := token.Parse(text)
	if err != nil {
		look.Valid, look.Reason = false, "malformed"
		look.Problem = strings.TrimPrefix(err.Error(), token.ErrMalformed.Error()+": ")
	} else {
		look.Prefix, look.ID = t.Prefix(), t.ID()
	}
	u.out.spare = true
	switch {
	case asJSON:
		err = u.out.json(look)
	case look.Valid:
		err = u.out.printf("prefix    %s\nid        %s\nchecksum  ok\n", look.Prefix, look.ID)
	default:
		err = u.out.printf("malformed: %s\n", look.Problem)
	}
	if err == nil && !look.Valid {
		err = &failure{code: exitNo}
	}
	return err
}
