package main

import (
	"iter"
	"math/big"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/random"
)

func newInt(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "int N [flags]",
		Short: "Make random integers below a bound",
		Long: `Make random integers of 0 to N-1, each equally likely. N is 1 or more, of any size, in
decimal digits without signs, spaces or zeros in front.

With --json each line is an object with secret, generator, bits and recipe. Bits are
the exact entropy, the logarithm of N to base 2; the secret is text, since many
readers of JSON round large numbers.`,
		Example: `  keyfob int 6
  keyfob int 1000000 -n 10
  keyfob int 340282366920938463463374607431768211456   # 128 bits
  keyfob int 100 --json
  echo $((1 + $(keyfob int 6)))                        # a die`,
		GroupID:           groupMake,
		Args:              takes("N"),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := addMake(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		bound, err := parseBound(args[0])
		if err != nil {
			return err
		}
		g := generator{name: "int", many: "integers", each: integersBelow(bound)}
		if *f.json { // of a large bound this takes its time
			g.bits, g.recipe = bitsOf(bound), "an integer below "+bound.String()
		}
		return f.generate(u, g)
	}
	return cmd
}

// parseBound reads the bound of an integer.
func parseBound(text string) (*big.Int, error) {
	if !decimal(text) || text == "0" {
		return nil, notWhole("N")
	}
	n, _ := new(big.Int).SetString(text, 10)
	return n, nil
}

// integersBelow draws integers, and writes them in digits.
func integersBelow(bound *big.Int) func(n int) iter.Seq[[]byte] {
	write := func(text []byte) []byte { return random.BigInt(bound).Append(text, 10) }
	if bound.IsUint64() {
		small := bound.Uint64()
		write = func(text []byte) []byte { return strconv.AppendUint(text, random.Int(small), 10) }
	}
	return func(n int) iter.Seq[[]byte] {
		return func(yield func([]byte) bool) {
			var text []byte
			for range n {
				if text = write(text[:0]); !yield(text) {
					return
				}
			}
		}
	}
}
