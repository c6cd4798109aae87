package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError turns an error of pflag into one line that says what would be right.
// It repeats flags' names and no values: a value may be a secret that landed in
// the wrong place.
func flagError(cmd *cobra.Command, err error) error {
	help := "see: " + cmd.CommandPath() + " --help"
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := e.GetFlag()
		if f.Value.Type() == "bool" {
			return wrong("--%s is a switch and takes no value but true and false", f.Name)
		}
		return wrong("--%s %v", f.Name, e.Unwrap())
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		if isWord(name) {
			return wrong("there is no flag %s; %s", dashes(name), help)
		}
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return wrong("%s needs a value; %s", dashes(e.GetSpecifiedName()), help)
	}
	return wrong("there is no such flag; %s", help)
}

func dashes(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}

// isWord reports whether text is so short and plain that it is a mistyped word
// and no secret: only such an argument is repeated.
func isWord(text string) bool {
	return text != "" && len(text) <= 20 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// fromEnv lets an environment variable stand for a flag that is not given.
func fromEnv(flags *pflag.FlagSet, name, variable string) {
	f := flags.Lookup(name)
	f.Usage += " [" + variable + "]"
	f.Annotations = map[string][]string{envAnnotation: {variable}}
}

const envAnnotation = "keyfob-env"

// readEnv sets the flags that a variable may stand for and does. An empty
// variable is as none.
func readEnv(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		names := f.Annotations[envAnnotation]
		if err != nil || f.Changed || names == nil {
			return
		}
		if text := os.Getenv(names[0]); text != "" {
			if serr := f.Value.Set(text); serr != nil {
				err = wrong("%s %v", names[0], serr)
			}
		}
	})
	return err
}

// takeEnv returns a variable that holds a secret, and removes it, so that no
// program started from here inherits it.
func takeEnv(variable string) string {
	text := os.Getenv(variable)
	os.Unsetenv(variable)
	return text
}

// wholeValue is a flag for a whole number between two bounds.
type wholeValue struct {
	n           int64
	least, most int64
}

func (v *wholeValue) String() string {
	if v.n == 0 {
		return ""
	}
	return itoa(v.n)
}

func (v *wholeValue) Type() string { return "N" }

func (v *wholeValue) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || err == nil && itoa(n) != text {
		return fmt.Errorf("is not a whole number; give %d to %d", v.least, v.most)
	}
	if err != nil || n < v.least || n > v.most {
		return fmt.Errorf("is out of range; give %d to %d", v.least, v.most)
	}
	v.n = n
	return nil
}

// textValue is a flag for text that may not be empty: an empty one comes from a
// variable of a script that is not set.
type textValue struct {
	text string
	what string // stands for the value in the help
}

func (v *textValue) String() string { return v.text }
func (v *textValue) Type() string   { return v.what }

func (v *textValue) Set(text string) error {
	if text == "" {
		return errors.New("is empty; give it a value, or leave it out")
	}
	v.text = text
	return nil
}

// addText adds a flag for text that may not be empty.
func addText(cmd *cobra.Command, name, what, value, usage string) *string {
	v := &textValue{value, what}
	cmd.Flags().Var(v, name, usage)
	return &v.text
}

// choiceValue is a flag that takes one of a few words.
type choiceValue struct {
	text    string
	choices []string
}

func (v *choiceValue) String() string { return v.text }
func (v *choiceValue) Type() string   { return "FORM" }

func (v *choiceValue) Set(text string) error {
	if !slices.Contains(v.choices, text) {
		return errors.New("is none that there is; give one of " + strings.Join(v.choices, ", "))
	}
	v.text = text
	return nil
}

// addChoice adds a flag that takes one of a few words, of which the first is
// the default, and completes them.
func addChoice(cmd *cobra.Command, name, usage string, choices ...string) *choiceValue {
	v := &choiceValue{choices[0], choices}
	cmd.Flags().Var(v, name, usage)
	cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
	return v
}

// durationValue is a flag that takes a duration, and never where that has a
// meaning.
type durationValue struct {
	d        time.Duration
	never    bool
	mayNever bool
}

func (v *durationValue) String() string {
	if v.never {
		return "never"
	}
	return formatDuration(v.d)
}

func (v *durationValue) Type() string { return "DURATION" }

func (v *durationValue) Set(text string) error {
	if text == "never" && v.mayNever {
		v.d, v.never = 0, true
		return nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	v.d, v.never = d, false
	return nil
}

// pairsValue is a flag that may be given many times, each time with NAME=VALUE.
type pairsValue map[string]string

func (v pairsValue) String() string { return "" }
func (v pairsValue) Type() string   { return "NAME=VALUE" }

func (v pairsValue) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("is not of the form NAME=VALUE")
	}
	if _, twice := v[name]; twice {
		return errors.New("gives one name twice; give each once")
	}
	v[name] = value
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
