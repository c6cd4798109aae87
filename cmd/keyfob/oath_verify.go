package main

import (
	"errors"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/otp"
)

// verifyFlags are the flags of keyfob oath verify.
type verifyFlags struct {
	codeFlags
	typ          *choiceValue
	last         lastValue
	at           *atValue
	skew, window wholeValue
	json         *bool
}

func newOATHVerify(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify --seed-file FILE --last N [flags] < CODE",
		Short: "Verify the code on stdin",
		Long: `Verify the code on stdin: one line, of which nothing but the newline is cut. It prints
the step that the code matches, or with --type hotp the counter, and the exit code is
0; of a wrong code it prints nothing, and the exit code is 1.

Keep what it prints, and give it as --last from then on: only a step after it can
match, so that no code is accepted twice. The first time it is --last never. Where two
programs may verify at once, keep it by an update that succeeds only while what is
kept is lower, before anybody is let in. Count the failures as well: of 6 digits each
try is right with a probability of 3 in a million.`,
		Example: `  keyfob oath totp < alice.seed | keyfob oath verify --seed-file alice.seed --last never
  keyfob oath hotp --counter 7 < token.seed | keyfob oath verify --seed-file token.seed --last 4`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &verifyFlags{
		skew:   wholeValue{n: 1, most: 10},
		window: wholeValue{n: 10, least: 1, most: 100},
	}
	flags := cmd.Flags()
	f.addSeedFile(cmd, "file with the seed, or its otpauth URI (required)")
	flags.Var(&f.last, "last", "the step or counter that was matched last, or never (required)")
	f.typ = addChoice(cmd, "type", "totp or hotp", "totp", "hotp")
	f.at = addAt(cmd)
	flags.Var(&f.skew, "skew", "steps of TOTP before and after the present one that match as well")
	flags.Var(&f.window, "window", "counters of HOTP after the last that are tried")
	f.addDigits(cmd)
	f.addPeriod(cmd)
	f.json = flags.Bool("json", false, "print an object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		k, err := f.verified(u, cmd)
		if err != nil {
			return err
		}
		code, err := u.secretLine("Code")
		if err != nil {
			return err
		}
		return u.verifyCode(f, cmd, k, code)
	}
	return cmd
}

// verified returns the key that codes are verified with, or what is wrong with the
// flags.
func (f *verifyFlags) verified(u *ui, cmd *cobra.Command) (otp.Key, error) {
	given := cmd.Flags().Changed
	if *f.seedFile == "" {
		return otp.Key{}, wrong("--seed-file is missing; name the file with the seed, since the code comes from stdin")
	}
	if !given("last") {
		return otp.Key{}, wrong("--last is missing; give what the last verification printed, or never for the first")
	}
	typ := otp.TypeTOTP
	if f.typ.text == "hotp" {
		typ = otp.TypeHOTP
	}
	k, err := f.read(u, cmd, typ)
	if err != nil {
		return k, err
	}
	if given("type") && k.Type != typ {
		return k, wrong("the otpauth URI is for %s, and --type is %s; leave --type out", k.Type, typ)
	}
	none := []string{"window"}
	if k.Type == otp.TypeHOTP {
		none = []string{"at", "skew", "period"}
	}
	for _, name := range none {
		if given(name) {
			return k, wrong("--%s is none of %s's; leave it out", name, k.Type)
		}
	}
	return k, nil
}

// verifyCode prints what a code matches.
func (u *ui) verifyCode(f *verifyFlags, cmd *cobra.Command, k otp.Key, code string) error {
	matched, err := f.match(cmd, k, code)
	reason := "ok"
	switch {
	case errors.Is(err, otp.ErrReplayed):
		reason = "replayed"
	case errors.Is(err, otp.ErrMismatch):
		reason = "wrong"
	case err != nil:
		return notComputed(err)
	}
	u.out.spare = err != nil
	switch {
	case *f.json:
		verdict := struct {
			Valid   bool    `json:"valid"`
			Reason  string  `json:"reason"`
			Matched *uint64 `json:"matched,omitempty"`
		}{Valid: err == nil, Reason: reason}
		if err == nil {
			verdict.Matched = &matched
		} else {
			err = &failure{code: exitNo}
		}
		return errors.Join(u.out.json(verdict), err)
	case err != nil:
		return no("%v", err)
	default:
		return u.out.line(strconv.FormatUint(matched, 10))
	}
}

// match returns the step or counter that a code matches.
func (f *verifyFlags) match(cmd *cobra.Command, k otp.Key, code string) (uint64, error) {
	if k.Type == otp.TypeHOTP {
		h, err := k.HOTP()
		if err != nil {
			return 0, err
		}
		h.Window = int(f.window.n)
		return h.Verify(k.Seed, code, f.last.last)
	}
	t, err := k.TOTP()
	if err != nil {
		return 0, err
	}
	if t.Skew = int(f.skew.n); t.Skew == 0 {
		t.Skew = otp.NoSkew
	}
	return t.Verify(k.Seed, code, f.at.time(cmd), f.last.last)
}

// lastValue is the flag for what was matched last.
type lastValue struct{ last otp.Last }

func (v *lastValue) String() string { return "" }
func (v *lastValue) Type() string   { return "N" }

func (v *lastValue) Set(text string) error {
	if text == "never" {
		v.last = otp.Never()
		return nil
	}
	n := wholeValue{most: math.MaxInt64}
	if err := n.Set(text); err != nil {
		return errors.New("is neither a step or counter nor never; give what the last verification printed, or never for the first")
	}
	v.last = otp.After(uint64(n.n))
	return nil
}
