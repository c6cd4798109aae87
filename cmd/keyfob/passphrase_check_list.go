package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/keyfob-dev/keyfob/passphrase"
)

func newPassphraseCheckList(u *ui) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check-list FILE [--json]",
		Short: "Check a list of words",
		Long: `Check a list of words: a file in UTF-8 with one word a line, or with dice numbers and
a word; or the names eff-large and eff-short.

Of a good list it prints how many words there are, what one is worth, and whether
phrases can be joined by "-", by nothing, and with capitals, so that no two read the
same. Of another it prints each problem with its line, and the exit code is 1.`,
		Example: `  keyfob passphrase check-list eff-short
  printf '%s\n' red green blue > colors && keyfob passphrase check-list colors --json`,
		Args: takes("FILE"),
	}
	asJSON := cmd.Flags().Bool("json", false, "print an object")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		list, err := checkedList(args[0])
		if problems, ok := errors.AsType[*passphrase.ListError](err); ok {
			return u.badList(problems, *asJSON)
		}
		if err != nil {
			return err
		}
		return u.goodList(list, *asJSON)
	}
	return cmd
}

// checkedList reads a list. The error is a *passphrase.ListError only for what is a
// list with problems in its lines: a file that is something else is wrong input.
func checkedList(name string) (*passphrase.List, error) {
	if name == "eff-large" || name == "eff-short" {
		return wordList(name)
	}
	text, err := readList(name)
	if err != nil {
		return nil, wrong("the list cannot be read: %v; give a file with one word a line", err)
	}
	list, err := passphrase.ParseList(text)
	e, ok := errors.AsType[*passphrase.ListError](err)
	if ok && (e.Problems[0].Line == 0 || !utf8.ValidString(text) || strings.Contains(text, "\x00")) {
		return nil, wrong("the file is %v", err)
	}
	return list, err
}

func (u *ui) badList(e *passphrase.ListError, asJSON bool) error {
	u.out.spare = true
	type problem struct {
		Line int    `json:"line"`
		Text string `json:"text"`
	}
	var err error
	if asJSON {
		list := struct {
			Valid    bool      `json:"valid"`
			Count    int       `json:"count"`
			Problems []problem `json:"problems"`
		}{Count: e.Count}
		for _, p := range e.Problems {
			list.Problems = append(list.Problems, problem(p))
		}
		err = u.out.json(list)
	} else {
		for _, p := range e.Problems {
			u.out.printf("%s\n", p.String())
		}
		if more := e.Count - len(e.Problems); more > 0 {
			u.out.printf("and %s\n", count(more, "more problem"))
		}
		err = u.out.text("") // what went wrong before
	}
	return errors.Join(err, &failure{code: exitNo})
}

// A join is a way to join words, and why a list does not allow it.
type join struct {
	how, name string
	recipe    passphrase.Recipe
}

var joins = [...]join{
	{`joined by "-"`, "hyphen", passphrase.Recipe{}},
	{"joined by nothing", "nothing", passphrase.Recipe{NoSeparator: true}},
	{"with capitals", "capitals", passphrase.Recipe{Capitalize: true}},
}

func (u *ui) goodList(list *passphrase.List, asJSON bool) error {
	u.out.spare = true
	refused := map[string]string{}
	var lines strings.Builder
	for _, j := range joins {
		j.recipe.List = list
		verdict := "yes"
		if err := j.recipe.Check(); err != nil {
			verdict = err.Error()
			refused[j.name] = verdict
		}
		fmt.Fprintf(&lines, "%-17s  %s\n", j.how, printable(verdict))
	}
	if asJSON {
		return u.out.json(struct {
			Valid    bool              `json:"valid"`
			Words    int               `json:"words"`
			Bits     float64           `json:"bits"`
			Dice     int               `json:"dice,omitempty"`
			Shortest string            `json:"shortest"`
			Longest  string            `json:"longest"`
			Refused  map[string]string `json:"refused"`
		}{true, list.Len(), list.Bits(), list.Dice(), list.Shortest(), list.Longest(), refused})
	}
	u.out.printf("words              %d\n", list.Len())
	u.out.printf("bits of each       %v\n", list.Bits())
	if list.Dice() > 0 {
		u.out.printf("dice               %d\n", list.Dice())
	}
	u.out.printf("shortest, longest  %s, %s\n", list.Shortest(), list.Longest())
	return u.out.text(lines.String())
}
