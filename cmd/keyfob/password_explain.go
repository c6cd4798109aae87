package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/password"
)

func newPasswordExplain(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [flags]",
		Short: "Say how many passwords a policy allows",
		Long: `Say what a policy amounts to, and make no password. It takes the flags of keyfob
password, and prints

  count    exactly how many passwords the policy allows
  bits     the entropy of one of them: the logarithm to base 2 of count
  plain    the chance that a plain draw, each character uniform over the alphabet,
           satisfies the policy: the entropy is less by its logarithm
  shuffle  how far "one of each, then shuffle" is from uniform, the way in which most
           generators meet such a policy: the total variation distance, and how many
           times as likely as the rarest password the most frequent one is

With --json, count is text, since most programs round numbers of that size.`,
		Example: `  keyfob password explain
  keyfob password explain --length 16 --digits 8
  keyfob password explain --length 3 --lower 1 --digits 2 --no-upper --no-symbols --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	policy := addPolicy(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g, err := policy.compile(cmd)
		if err != nil {
			return err
		}
		return u.explain(g, *asJSON)
	}
	return cmd
}

// explanation is what explain prints with --json.
type explanation struct {
	Length   int       `json:"length"`
	Alphabet int       `json:"alphabet"`
	Count    string    `json:"count"`
	Bits     float64   `json:"bits"`
	Plain    float64   `json:"plain"`
	Shuffle  shuffling `json:"shuffle"`
	Recipe   string    `json:"recipe"`
}

// shuffling has either figures or the reason why there are none.
type shuffling struct {
	Distance *float64 `json:"distance,omitempty"`
	Ratio    *float64 `json:"ratio,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

func (u *ui) explain(g *password.Generator, asJSON bool) error {
	e := g.Explain()
	if !asJSON {
		return u.out.printf("policy   %s\ncount    %s\nbits     %s\nplain    %s\nshuffle  %s\n",
			g.String(), e.Count.String(), fmt.Sprint(e.Bits), plainText(e), shuffleText(e.Shuffle))
	}
	s := shuffling{Reason: e.Shuffle.Reason}
	if s.Reason == "" {
		s.Distance, s.Ratio = &e.Shuffle.Distance, &e.Shuffle.Ratio
	}
	return u.out.json(explanation{
		Length: e.Length, Alphabet: e.Alphabet, Count: e.Count.String(), Bits: e.Bits, Plain: e.Plain, Shuffle: s, Recipe: g.String(),
	})
}

// plainText says how likely a plain draw satisfies the policy, small chances as
// powers of 2.
func plainText(e password.Explanation) string {
	chance := fmt.Sprint(e.Plain)
	if e.Plain < 1e-3 {
		chance = fmt.Sprintf("1 in 2^%.2f", float64(e.Length)*math.Log2(float64(e.Alphabet))-e.Bits)
	}
	return fmt.Sprintf("%s is the chance that %s, each uniform over the %d, satisfy the policy", chance, count(e.Length, "character"), e.Alphabet)
}

func shuffleText(s password.Shuffle) string {
	const way = `"one of each, then shuffle"`
	switch {
	case s.Reason != "":
		return fmt.Sprintf("%s is not computed: %s", way, s.Reason)
	case s.Ratio == 1:
		return way + " is uniform as well for this policy"
	default:
		return fmt.Sprintf("%s is at a distance of %.9f from uniform; its likeliest password comes %.6g times as often as its rarest", way, s.Distance, s.Ratio)
	}
}
