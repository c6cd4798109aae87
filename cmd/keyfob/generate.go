package main

import (
	"encoding/json"
	"iter"

	"github.com/spf13/cobra"
)

// A generator makes secrets of one recipe, and knows what they are worth.
type generator struct {
	name   string // of the command
	many   string // what it makes, in the plural
	bits   float64
	recipe string
	each   func(n int) iter.Seq[[]byte]
}

// makeFlags are the flags of every generator.
type makeFlags struct {
	count wholeValue
	json  *bool
}

func addMake(cmd *cobra.Command) *makeFlags {
	f := &makeFlags{count: wholeValue{n: 1, least: 1, most: maxCount}}
	cmd.Flags().VarP(&f.count, "count", "n", "make so many")
	f.json = cmd.Flags().Bool("json", false, "print an object for each")
	return f
}

// generate writes secrets, one a line.
func (f *makeFlags) generate(u *ui, g generator) error {
	if err := u.out.mustBeOpen(); err != nil {
		return err
	}
	n := int(f.count.n)
	bar := u.progress(n, g.many)
	defer bar.end()
	write, err := u.writer(g, *f.json)
	if err != nil {
		return err
	}
	for text := range g.each(n) {
		if err := write(text); err != nil {
			return err
		}
		bar.step()
	}
	return nil
}

// writer returns what writes one secret of a generator as a line.
func (u *ui) writer(g generator, asJSON bool) (func([]byte) error, error) {
	if !asJSON {
		return func(text []byte) error {
			u.out.bytes(text)
			return u.out.text("\n") // also what went wrong before
		}, nil
	}
	about, err := json.Marshal(struct {
		Generator string  `json:"generator"`
		Bits      float64 `json:"bits"`
		Recipe    string  `json:"recipe"`
	}{g.name, g.bits, g.recipe})
	if err != nil {
		return nil, undecided("write the answer as JSON: %v", err)
	}
	after := `,` + jsonSafe(about[1:]) + "\n"
	var line []byte
	return func(text []byte) error {
		line = append(line[:0], `{"secret":"`...)
		line = appendEscaped(line, text)
		line = append(line, '"')
		line = append(line, after...)
		return u.out.bytes(line)
	}, nil
}

// appendEscaped appends what stands for a secret within a JSON string. Secrets are
// of printed characters, of which JSON wants two escaped.
func appendEscaped(dst, text []byte) []byte {
	for _, b := range text {
		if b == '"' || b == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, b)
	}
	return dst
}
