package main

import (
	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/password"
)

func newPassword(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "password [flags]",
		Short: "Make passwords that satisfy a policy",
		Long: `Make passwords: 20 printable ASCII characters with at least one lower-case letter, one
upper-case letter, one digit and one symbol, unless told otherwise.

Every password that the policy allows is exactly as likely as every other, however
few it allows. They are counted, and so the bits are exact: see keyfob password
explain. A policy that nothing satisfies is refused with the rules that contradict
each other.

How many characters of a class there are is given as a minimum, as in --digits 2; as
a minimum and a maximum, as in --digits 1-3; or none, as in --no-digits. 0 lets them
occur and asks for none. With --rules the policy is that of a web page's or an app's
passwordrules, which name their own classes.`,
		Example: `  keyfob password
  keyfob password --length 32 --no-symbols
  keyfob password --length 16 --digits 2 --symbols 1-2 --symbol-set safe --first lower,upper
  keyfob password --bits 128 --no-lookalikes --max-run 2
  keyfob password --variety 3 --forbid password --forbid 1234
  keyfob password --rules 'minlength: 12; required: lower; required: digit; allowed: [-_.]'
  keyfob password -n 1000 > passwords
  keyfob password --json`,
		GroupID:           groupMake,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	policy := addPolicy(cmd)
	f := addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		g, err := policy.compile(cmd)
		if err != nil {
			return err
		}
		return f.generate(u, generator{name: "password", many: "passwords", bits: g.Bits(), recipe: g.String(), each: g.Each})
	}
	cmd.AddCommand(newPasswordExplain(u))
	return cmd
}

// compile returns what makes the passwords of the flags' policy, or what is wrong
// with it.
func (f *policyFlags) compile(cmd *cobra.Command) (*password.Generator, error) {
	p, err := f.policy(cmd)
	if err != nil {
		return nil, err
	}
	g, err := p.Compile()
	if err != nil {
		return nil, wrong("%v", err)
	}
	return g, nil
}
