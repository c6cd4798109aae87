package server

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// about says what a figure is, in the words of Prometheus.
type about struct{ name, kind, help string }

// A family holds the figures of one name, one for each combination of values that
// its labels have had. Of F the zero value is a figure that has counted nothing.
type family[F any] struct {
	about
	names []string // of the labels

	adding  sync.Mutex
	figures atomic.Pointer[map[values]*F] // replaced, never changed
}

// values are those of a family's labels, in their order.
type values [3]string

// at returns the figure for some values of the labels. There must not be many of
// them: to add one copies the others.
func (f *family[F]) at(v values) *F {
	if known := f.figures.Load(); known != nil {
		if figure := (*known)[v]; figure != nil {
			return figure
		}
	}
	f.adding.Lock()
	defer f.adding.Unlock()
	figures := map[values]*F{}
	if known := f.figures.Load(); known != nil {
		maps.Copy(figures, *known)
	}
	if figures[v] == nil {
		figures[v] = new(F)
		f.figures.Store(&figures)
	}
	return figures[v]
}

// write writes the figures, in the order of their labels. Of none there is nothing
// to tell.
func (f *family[F]) write(e *exposition, one func(e *exposition, name string, l labels, figure *F)) {
	known := f.figures.Load()
	if known == nil {
		return
	}
	e.begin(f.about)
	for _, v := range slices.SortedFunc(maps.Keys(*known), func(a, b values) int { return slices.Compare(a[:], b[:]) }) {
		var l labels
		for i, name := range f.names {
			l = l.with(name, v[i])
		}
		one(e, f.name, l, (*known)[v])
	}
}

func writeNumber(e *exposition, name string, l labels, n *atomic.Int64) {
	e.sample(name, l, float64(n.Load()))
}

// bounds are the upper ones of a histogram's buckets, which has another without.
var bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	1 * time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	1 * time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// A histogram counts durations by their size.
type histogram struct {
	buckets [len(bounds) + 1]atomic.Int64 // each counts what is in no smaller one
	sum     atomic.Int64                  // in nanoseconds
}

func (h *histogram) observe(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// writeHistogram writes buckets that each count what is in the smaller ones as
// well. Their number is made of what was read of them, so that it is theirs even
// when another duration is observed meanwhile.
func writeHistogram(e *exposition, name string, l labels, h *histogram) {
	n := int64(0)
	for i := range h.buckets {
		bound := "+Inf"
		if i < len(bounds) {
			bound = number(bounds[i].Seconds())
		}
		n += h.buckets[i].Load()
		e.sample(name+"_bucket", l.with("le", bound), float64(n))
	}
	e.sample(name+"_sum", l, time.Duration(h.sum.Load()).Seconds())
	e.sample(name+"_count", l, float64(n))
}

// exposition is figures in the text format of Prometheus, version 0.0.4:
// https://prometheus.io/docs/instrumenting/exposition_formats/.
type exposition struct{ text []byte }

// begin begins the lines about one name.
func (e *exposition) begin(a about) {
	e.line("# HELP ", a.name, " ", a.help)
	e.line("# TYPE ", a.name, " ", a.kind)
}

// sample writes the value of a figure.
func (e *exposition) sample(name string, l labels, value float64) {
	e.line(name, l.String(), " ", number(value))
}

// single is begin and sample of a figure without labels.
func (e *exposition) single(a about, value float64) {
	e.begin(a)
	e.sample(a.name, "", value)
}

func (e *exposition) line(parts ...string) {
	for _, part := range parts {
		e.text = append(e.text, part...)
	}
	e.text = append(e.text, '\n')
}

func number(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// labels are those of a sample, as they stand between its braces.
type labels string

// with returns the labels and one more.
func (l labels) with(name, value string) labels {
	if l != "" {
		l += ","
	}
	return l + labels(name+`="`+escapeLabel.Replace(value)+`"`)
}

func (l labels) String() string {
	if l == "" {
		return ""
	}
	return "{" + string(l) + "}"
}

// escapeLabel escapes what the format wants escaped within a label's value.
var escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
