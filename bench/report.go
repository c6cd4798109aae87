package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// A report prints rows as they come.
type report struct {
	w       io.Writer
	json    bool
	reached int
	missed  []string
	skipped int
}

func newReport(w io.Writer, o options) *report { return &report{w: w, json: o.json} }

const form = "%-72s %9s %9s %9s %9s  %7s %7s  %-15s  %-16s %s\n"

// begin prints what the figures depend on.
func (r *report) begin(dir string) {
	if r.json {
		return
	}
	load, _, _ := bytes.Cut(fileText("/proc/loadavg"), []byte("\n"))
	fmt.Fprintf(r.w, "%s %s/%s, %d processors, load %s; files in %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load, dir)
	fmt.Fprintf(r.w, form, "", "keyfob", "", "peer", "", "ratio", "", "", "", "")
	fmt.Fprintf(r.w, form, "keyfob : peer", "wall", "cpu", "wall", "cpu", "wall", "cpu", "lowest-highest", "target", "")
}

func fileText(path string) []byte {
	text, _ := os.ReadFile(path)
	return text
}

// A line is what JSON has of a row and one of its targets.
type line struct {
	Name    string             `json:"name"`
	Skipped string             `json:"skipped,omitempty"`
	Rounds  int                `json:"rounds,omitempty"`
	Keyfob  map[metric]float64 `json:"keyfob,omitempty"` // wall and cpu in nanoseconds an operation
	Peer    map[metric]float64 `json:"peer,omitempty"`
	By      metric             `json:"by,omitempty"`
	Ratio   map[metric]float64 `json:"ratio,omitempty"`
	Lowest  float64            `json:"lowest,omitempty"`
	Highest float64            `json:"highest,omitempty"`
	Target  string             `json:"target,omitempty"`
	Reached *bool              `json:"reached,omitempty"`
}

// add prints a row, once for each of its targets.
func (r *report) add(res result, err error) error {
	if err != nil {
		return err
	}
	if res.skipped != "" {
		r.skipped++
		return r.print(line{Name: res.name, Skipped: res.skipped})
	}
	targets := res.targets
	if len(targets) == 0 {
		targets = []target{{cpu, noTarget, 0}}
	}
	for _, t := range targets {
		if err := r.print(r.judge(res, t)); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) judge(res result, t target) line {
	l := line{
		Name: res.name, Rounds: len(res.ours), By: t.by, Target: t.String(),
		Keyfob: map[metric]float64{}, Peer: map[metric]float64{}, Ratio: map[metric]float64{},
	}
	shown := []metric{wall, cpu}
	if t.by == allocs {
		shown = []metric{allocs}
	}
	for _, m := range shown {
		l.Keyfob[m], l.Peer[m] = res.median(res.ours, m), res.median(res.peer, m)
		l.Ratio[m], _, _ = res.ratio(target{m, t.sort, 0})
	}
	_, l.Lowest, l.Highest = res.ratio(t)
	if t.sort == noTarget {
		return l
	}
	reached := res.reached(t)
	l.Reached = &reached
	if reached {
		r.reached++
	} else {
		r.missed = append(r.missed, res.name+" ("+t.String()+")")
	}
	return l
}

func (r *report) print(l line) error {
	if r.json {
		return json.NewEncoder(r.w).Encode(l)
	}
	if l.Skipped != "" {
		_, err := fmt.Fprintf(r.w, "%-72s skipped: %s\n", l.Name, l.Skipped)
		return err
	}
	verdict := ""
	if l.Reached != nil {
		verdict = map[bool]string{true: "reached", false: "MISSED"}[*l.Reached]
	}
	spread := fmt.Sprintf("%.3g-%.3g", l.Lowest, l.Highest)
	if l.By == allocs {
		number := func(side map[metric]float64) string { return fmt.Sprintf("%.3g", side[allocs]) }
		_, err := fmt.Fprintf(r.w, form, "  allocations", number(l.Keyfob), "", number(l.Peer), "", "", "", spread, l.Target, verdict)
		return err
	}
	ratio := func(m metric) string { return fmt.Sprintf("%.3g", l.Ratio[m]) }
	_, err := fmt.Fprintf(r.w, form, l.Name, short(l.Keyfob[wall]), short(l.Keyfob[cpu]), short(l.Peer[wall]), short(l.Peer[cpu]),
		ratio(wall), ratio(cpu), spread, l.Target, verdict)
	return err
}

// short is a time in three digits.
func short(nanoseconds float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"s", float64(time.Second)}, {"ms", float64(time.Millisecond)}, {"µs", float64(time.Microsecond)}} {
		if nanoseconds >= unit.size {
			return fmt.Sprintf("%.3g %s", nanoseconds/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.3g ns", nanoseconds)
}

// heaviest is how many packages startCosts names.
const heaviest = 10

// startCosts prints what packages cost at the start of the command.
func (r *report) startCosts(costs []initCost) error {
	if r.json {
		return json.NewEncoder(r.w).Encode(map[string]any{"name": startRow, "packages": costs})
	}
	all := 0.0
	for _, c := range costs {
		all += c.Millis
	}
	fmt.Fprintf(r.w, "\nOf the start of keyfob token, %d packages take %.3g ms (GODEBUG=inittrace=1); most of it:\n", len(costs), all)
	for _, c := range costs[:min(heaviest, len(costs))] {
		fmt.Fprintf(r.w, "  %-60s %8.3f ms %9d bytes %6d allocs\n", c.Package, c.Millis, c.Bytes, c.Allocs)
	}
	return nil
}

// end prints the sum.
func (r *report) end() error {
	if r.json {
		return nil
	}
	missed := ""
	if len(r.missed) > 0 {
		missed = "; missed:\n  " + strings.Join(r.missed, "\n  ")
	}
	_, err := fmt.Fprintf(r.w, "\n%d targets reached, %d missed, %d rows skipped%s\n", r.reached, len(r.missed), r.skipped, missed)
	return err
}
