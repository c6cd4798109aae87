package main

import (
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/otp"
)

const seedOrStdin = "file with the seed, or its otpauth URI; without it they are read from stdin"

func newOATHTOTP(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "totp [flags]",
		Short: "Compute the code of the present time",
		Long: `Compute the TOTP code (RFC 6238) of the present time, or of the time --at, as an
authenticator app shows it.

With --json it also says the step, and for how many seconds the code stays that of the
present step.`,
		Example: `  keyfob oath totp --seed-file alice.seed
  keyfob oath totp --seed-file alice.seed --at 1700000000
  keyfob oath seed | keyfob oath totp --algorithm sha256 --digits 8 --period 60 --json`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &codeFlags{}
	f.addSeedFile(cmd, seedOrStdin)
	at := addAt(cmd)
	f.addDigits(cmd)
	f.addPeriod(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := u.out.mustBeOpen(); err != nil {
			return err
		}
		k, err := f.read(u, cmd, otp.TypeTOTP)
		if err != nil {
			return err
		}
		return u.totp(k, at.time(cmd), *asJSON)
	}
	return cmd
}

// atValue is the flag for the time of a code.
type atValue struct{ wholeValue }

// addAt adds the flag for the time of a code.
func addAt(cmd *cobra.Command) *atValue {
	const most = 253_402_300_799 // the end of the year 9999
	at := &atValue{wholeValue{most: most}}
	cmd.Flags().Var(at, "at", "time in seconds since 1970, instead of the present")
	return at
}

func (v *atValue) time(cmd *cobra.Command) time.Time {
	if cmd.Flags().Changed("at") {
		return time.Unix(v.n, 0)
	}
	return time.Now()
}

func (u *ui) totp(k otp.Key, at time.Time, asJSON bool) error {
	t, err := k.TOTP()
	if err != nil {
		return notComputed(err)
	}
	code, err := t.Generate(k.Seed, at)
	if err != nil {
		return notComputed(err)
	}
	if !asJSON {
		return u.out.line(code)
	}
	step, err := t.Step(at)
	if err != nil {
		return notComputed(err)
	}
	left, err := t.Until(at)
	if err != nil {
		return notComputed(err)
	}
	return u.out.json(struct {
		Code string  `json:"code"`
		Step uint64  `json:"step"`
		Left float64 `json:"seconds_left"`
	}{code, step, left.Seconds()})
}

func newOATHHOTP(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hotp --counter N [flags]",
		Short: "Compute the code of a counter",
		Long: `Compute the HOTP code (RFC 4226) of a counter, or with -n those of so many counters
from it on. The counter is not kept anywhere.`,
		Example: `  keyfob oath hotp --seed-file token.seed --counter 0
  keyfob oath hotp --seed-file token.seed --counter 1 -n 10`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &codeFlags{}
	f.addSeedFile(cmd, seedOrStdin)
	counter := wholeValue{most: math.MaxInt64}
	cmd.Flags().Var(&counter, "counter", "the counter, from 0 on (required)")
	f.addDigits(cmd)
	many := addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("counter") {
			return wrong("--counter is missing; say of which counter the code is, as in --counter 0")
		}
		if many.count.n-1 > math.MaxInt64-counter.n {
			return wrong("--counter is too close to its end for -n codes; give a lower one, or a smaller -n")
		}
		if err := u.out.mustBeOpen(); err != nil {
			return err
		}
		k, err := f.read(u, cmd, otp.TypeHOTP)
		if err != nil {
			return err
		}
		return u.hotp(k, uint64(counter.n), many)
	}
	return cmd
}

func (u *ui) hotp(k otp.Key, first uint64, many *makeFlags) error {
	h, err := k.HOTP()
	if err != nil {
		return notComputed(err)
	}
	n := int(many.count.n)
	bar := u.progress(n, "codes")
	defer bar.end()
	for i := range uint64(n) {
		code, err := h.Generate(k.Seed, first+i)
		if err != nil {
			return notComputed(err)
		}
		if *many.json {
			err = u.out.json(struct {
				Code    string `json:"code"`
				Counter uint64 `json:"counter"`
			}{code, first + i})
		} else {
			err = u.out.line(code)
		}
		if err != nil {
			return err
		}
		bar.step()
	}
	return nil
}
