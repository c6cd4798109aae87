// Command bench sets keyfob beside what it cannot do without, and beside other
// programs of its kind. README.md says what each row means.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if serve := servers[os.Getenv(serverVariable)]; serve != nil {
		exit(serve(ctx))
	}
	o, err := parseFlags(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2)
	}
	exit(run(ctx, o, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// options are what the flags say.
type options struct {
	only   *regexp.Regexp
	rounds int
	json   bool
	dir    string
	small  bool // one operation a turn and little data, for the test
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	o := options{only: regexp.MustCompile("")}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Func("only", "measure the rows whose name matches this regular expression", func(text string) (err error) {
		o.only, err = regexp.Compile(text)
		return err
	})
	f.IntVar(&o.rounds, "rounds", 7, "how often each side has its turn")
	f.BoolVar(&o.json, "json", false, "print one object a line")
	f.StringVar(&o.dir, "dir", os.TempDir(), "where databases are put for the time of the run; a folder on a disk, not in memory")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	wrong := ""
	switch {
	case f.NArg() > 0:
		wrong = fmt.Sprintf("takes no argument %q; flags begin with -", f.Arg(0))
	case o.rounds < 5:
		wrong = fmt.Sprintf("-rounds is %d; it is at least 5, for a median that says something", o.rounds)
	}
	if wrong != "" {
		fmt.Fprintln(stderr, "bench:", wrong)
		return o, flag.ErrHelp
	}
	return o, nil
}

// rows returns all rows, in the order in which they are measured.
func rows() []row {
	var all []row
	for _, group := range [][]row{
		verifyRows(), httpRows(), issueRows(), oneTimeRows(), tokenRows(), passwordRows(), otpRows(), nonceRows(),
		csrfRows(), sessionRows(),
	} {
		all = append(all, group...)
	}
	return all
}

// run measures the rows that were asked for and prints each when it is there.
func run(ctx context.Context, o options, stdout io.Writer) error {
	e, err := newEnv(ctx, o)
	if err != nil {
		return err
	}
	defer e.close()
	r := newReport(stdout, o)
	r.begin(e.dir)
	for _, row := range rows() {
		if !o.only.MatchString(row.name) {
			continue
		}
		if err := r.add(e.measure(row)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if o.only.MatchString(startRow) {
		costs, err := e.initCosts()
		if err != nil {
			return err
		}
		if err := r.startCosts(costs); err != nil {
			return err
		}
	}
	return r.end()
}
