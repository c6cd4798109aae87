package main

import (
	"iter"
	"math"
	"os"

	"github.com/spf13/cobra"
	"rsc.io/qr"

	"github.com/keyfob-dev/keyfob/otp"
)

// seedFlags are the flags of keyfob oath seed.
type seedFlags struct {
	codeFlags
	*makeFlags
	bytes, counter  wholeValue
	issuer, account *string
	typ             *choiceValue
	qr              *bool
	png             *string
}

// forApps are the flags that only mean something in an otpauth URI.
var forApps = []string{"issuer", "type", "algorithm", "digits", "period", "counter", "qr", "png"}

func newOATHSeed(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "seed [flags]",
		Short: "Make a seed for an authenticator app",
		Long: `Make a seed for an authenticator app or a token: 160 bits in base32, as people type it
in, unless told otherwise.

With --account the next line is its otpauth URI, which apps read as a QR code: --qr
draws it, on stderr where that is a terminal, so that the seed can go to a file, and
otherwise on stdout below the URI; --png writes it to a file of its own. All of them
hold the seed. Many apps know only sha1, 6 digits and 30 seconds.`,
		Example: `  keyfob oath seed
  keyfob oath seed --issuer Acme --account bob@example.com --qr > bob.seed
  keyfob oath seed --issuer Acme --account carol@example.com --png carol.png > carol.seed
  keyfob oath seed --account token-7 --type hotp > token.seed
  keyfob oath seed --account carol --json
  keyfob oath seed --bytes 32 -n 100 > seeds`,
		Args:              takes(),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := &seedFlags{
		bytes:   wholeValue{n: otp.DefaultSeed, least: otp.MinSeed, most: otp.MaxSeed},
		counter: wholeValue{most: math.MaxInt64},
	}
	flags := cmd.Flags()
	flags.Var(&f.bytes, "bytes", "bytes of the seed")
	f.account = addText(cmd, "account", "NAME", "", "make an otpauth URI for this account")
	f.issuer = addText(cmd, "issuer", "NAME", "", "the service that the account is with; apps mix up those of services without one")
	f.typ = addChoice(cmd, "type", "codes of the time, totp, or of a counter, hotp", "totp", "hotp")
	f.addDigits(cmd)
	f.addPeriod(cmd)
	flags.Var(&f.counter, "counter", "first counter with --type hotp")
	f.qr = flags.Bool("qr", false, "draw the URI as a QR code")
	f.png = addText(cmd, "png", "FILE", "", "write the URI as a QR code to a file that is not there yet")
	f.makeFlags = addMake(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.check(cmd); err != nil {
			return err
		}
		if *f.account == "" {
			return f.generate(u, f.seeds())
		}
		return f.forApp(u)
	}
	return cmd
}

// check says what is wrong with the flags.
func (f *seedFlags) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if *f.account == "" {
		for _, name := range forApps {
			if given(name) {
				return wrong("--%s is said in an otpauth URI, which names an account; give --account as well", name)
			}
		}
		return nil
	}
	switch {
	case given("count"):
		return wrong("an account has one seed; leave out -n, or --account")
	case f.typ.text == "totp" && given("counter"):
		return wrong("--counter is for --type hotp; leave it out")
	case f.typ.text == "hotp" && given("period"):
		return wrong("--period is for --type totp; leave it out")
	}
	return nil
}

// seeds is the generator of seeds alone.
func (f *seedFlags) seeds() generator {
	size := int(f.bytes.n)
	return generator{name: "oath seed", many: "seeds", bits: float64(8 * size), recipe: "base32, " + count(size, "byte"),
		each: func(n int) iter.Seq[[]byte] {
			return func(yield func([]byte) bool) {
				for range n {
					if !yield([]byte(otp.NewSeedSize(size).Base32())) {
						return
					}
				}
			}
		}}
}

// forApp makes one seed, and shows it in all the ways that are wanted.
func (f *seedFlags) forApp(u *ui) error {
	typ := otp.TypeTOTP
	if f.typ.text == "hotp" {
		typ = otp.TypeHOTP
	}
	k, err := f.key(typ, otp.NewSeedSize(int(f.bytes.n)))
	if err != nil {
		return err
	}
	k.Issuer, k.Account, k.Counter = *f.issuer, *f.account, uint64(f.counter.n)
	uri, err := k.URI()
	if err != nil {
		return wrong("%v", err)
	}
	code, err := qr.Encode(uri, qr.M)
	if err != nil {
		return undecided("the URI cannot be made a QR code: %v", err)
	}
	if *f.png != "" {
		if err := writeNew(*f.png, code.PNG()); err != nil {
			return err
		}
	}
	err = f.show(u, k.Seed, uri, code)
	if err == nil {
		err = u.out.flush()
	}
	if err != nil && *f.png != "" {
		os.Remove(*f.png) // nobody has its seed
	}
	return err
}

// show prints the seed, its URI and its QR code.
func (f *seedFlags) show(u *ui, seed otp.Seed, uri string, code *qr.Code) error {
	about := f.seeds()
	var err error
	if *f.json {
		err = u.out.json(struct {
			Secret    string  `json:"secret"`
			URI       string  `json:"uri"`
			Generator string  `json:"generator"`
			Bits      float64 `json:"bits"`
			Recipe    string  `json:"recipe"`
		}{seed.Base32(), uri, about.name, about.bits, about.recipe})
	} else {
		err = u.out.text(seed.Base32() + "\n" + uri + "\n")
	}
	if err != nil || !*f.qr {
		return err
	}
	return u.showQR(code)
}

// showQR draws a QR code where somebody sees it, and otherwise on stdout.
func (u *ui) showQR(code *qr.Code) error {
	if isTerminal(u.stderr) {
		if err := u.out.flush(); err != nil {
			return err
		}
		_, err := u.stderr.WriteString(drawQR(code, true))
		return err
	}
	return u.out.text(drawQR(code, u.out.isTerminal()))
}
