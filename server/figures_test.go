package server

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// families reads figures as Prometheus does.
func families(t testing.TB, text string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return all
}

// TestMetricsAreReadByPrometheus: a reader of its own project understands all that
// /metrics says, and each name has one type and a word of help.
func TestMetricsAreReadByPrometheus(t *testing.T) {
	e := newEnv(t, Limits{})
	e.want(e.ask("x", "GET", "/v1/spaces/acme", nil), 401, "unauthenticated")
	e.want(e.ask(e.owner, "POST", "/v1/spaces/acme/verify", `{"token":"x"}`), 200, "")
	e.await(e.owner, `keyfob_http_request_duration_seconds_count{method="POST",route="/v1/spaces/{space}/verify",status="2xx"}`, "1")
	a := e.want(e.ask(e.owner, "GET", "/metrics", nil), 200, "")
	if got := a.header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("the content is %q", got)
	}
	all := families(t, a.text)
	for name, kind := range map[string]dto.MetricType{
		"keyfob_http_request_duration_seconds":    dto.MetricType_HISTOGRAM,
		"keyfob_http_requests_at_work":            dto.MetricType_GAUGE,
		"keyfob_http_requests_refused_busy_total": dto.MetricType_COUNTER,
		"keyfob_verifications_total":              dto.MetricType_COUNTER,
		"keyfob_callers_refused_total":            dto.MetricType_COUNTER,
		"keyfob_connections":                      dto.MetricType_GAUGE,
		"go_info":                                 dto.MetricType_GAUGE,
		"go_goroutines":                           dto.MetricType_GAUGE,
		"go_threads":                              dto.MetricType_GAUGE,
		"go_gc_duration_seconds":                  dto.MetricType_SUMMARY,
		"go_memstats_alloc_bytes_total":           dto.MetricType_COUNTER,
		"go_memstats_heap_inuse_bytes":            dto.MetricType_GAUGE,
		"process_start_time_seconds":              dto.MetricType_GAUGE,
	} {
		f := all[name]
		if f == nil || f.GetType() != kind {
			t.Errorf("%s is %v, want a %v", name, f, kind)
		}
	}
	for name, f := range all {
		if f.GetHelp() == "" || f.GetType() == dto.MetricType_UNTYPED || len(f.Metric) == 0 {
			t.Errorf("%s has no help, no type or no figure: %v", name, f)
		}
		if n := strings.Count(a.text, "# TYPE "+name+" "); n != 1 {
			t.Errorf("%s is begun %d times", name, n)
		}
	}
}

// TestHistogram: a duration is counted in the buckets whose bounds it does not
// exceed, and the numbers are those of all durations together.
func TestHistogram(t *testing.T) {
	f := family[histogram]{about: about{"x_seconds", "histogram", "Some."}, names: []string{"who"}}
	h := f.at(values{"me"})
	for _, d := range []time.Duration{0, bounds[0], bounds[0] + 1, time.Second, 10 * time.Second, 10*time.Second + 1, time.Hour} {
		h.observe(d)
	}
	var e exposition
	f.write(&e, writeHistogram)
	got := families(t, string(e.text))["x_seconds"].Metric[0].GetHistogram()
	if got.GetSampleCount() != 7 || got.GetSampleSum() != 3621.000200002 {
		t.Errorf("%d durations that take %v s", got.GetSampleCount(), got.GetSampleSum())
	}
	want := map[float64]uint64{.0001: 2, .00025: 3, .5: 3, 1: 4, 5: 4, 10: 5}
	for _, b := range got.Bucket {
		if n, ok := want[b.GetUpperBound()]; ok && n != b.GetCumulativeCount() {
			t.Errorf("%d are at most %v s, want %d", b.GetCumulativeCount(), b.GetUpperBound(), n)
		}
		delete(want, b.GetUpperBound())
	}
	if len(want) != 0 || len(got.Bucket) != len(bounds)+1 {
		t.Errorf("%d buckets; there is none for %v", len(got.Bucket), want)
	}
}

// TestFamilyEscapes: whatever the value of a label is, it is read back as it was.
func TestFamilyEscapes(t *testing.T) {
	f := family[atomic.Int64]{about: about{"x", "gauge", "Some."}, names: []string{"a", "b"}}
	v := values{"\"},\\\n{", `\n`}
	f.at(v).Add(3)
	f.at(values{"other", ""}).Add(-4)
	var e exposition
	f.write(&e, writeNumber)
	got := families(t, string(e.text))["x"].Metric
	if len(got) != 2 || got[0].GetGauge().GetValue() != 3 || got[1].GetGauge().GetValue() != -4 {
		t.Fatalf("%v", got)
	}
	for i, l := range got[0].Label {
		if l.GetName() != f.names[i] || l.GetValue() != v[i] {
			t.Errorf("the label %v, want %q", l, v[i])
		}
	}
}

// TestFamilyLosesNothing: what is counted at once, under labels that are new to
// all, is counted exactly.
func TestFamilyLosesNothing(t *testing.T) {
	f := family[atomic.Int64]{about: about{"x", "counter", "Some."}, names: []string{"a"}}
	const counters, each = 8, 500
	labels := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	var group sync.WaitGroup
	for range counters {
		group.Go(func() {
			for i := range each {
				f.at(values{labels[i%len(labels)]}).Add(1)
			}
		})
	}
	group.Wait()
	for _, l := range labels {
		if n := f.at(values{l}).Load(); n != counters*each/int64(len(labels)) {
			t.Errorf("%s was counted %d times", l, n)
		}
	}
}

// TestCountingAllocatesNothing: the price of a figure does not show in a request's.
func TestCountingAllocatesNothing(t *testing.T) {
	m := newMetrics(new(atomic.Int64))
	noVerdict := errors.New("no verdict")
	x := &exchange{method: "POST", route: "/v1/spaces/{space}/verify", status: 200, start: time.Now()}
	if n := testing.AllocsPerRun(100, func() {
		m.answered(x)
		m.verified(nil)
		m.verified(noVerdict)
		m.callerRefused("malformed")
		m.opened("port")
		m.closed("port")
		m.refused()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestFiguresOfTheProcess: they tell of this process.
func TestFiguresOfTheProcess(t *testing.T) {
	look := func() map[string]*dto.MetricFamily {
		var e exposition
		writeRuntime(&e)
		writeProcess(&e)
		return families(t, string(e.text))
	}
	first := look()
	const more = 100
	var kept [][]byte
	for range more {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		kept = append(kept, make([]byte, 1<<10))
	}
	second := look()
	value := func(all map[string]*dto.MetricFamily, name string) float64 {
		if all[name] == nil {
			t.Errorf("there is no %s", name)
			return 0
		}
		return all[name].Metric[0].GetGauge().GetValue() + all[name].Metric[0].GetCounter().GetValue()
	}
	grown := func(name string) float64 { return value(second, name) - value(first, name) }
	if n := grown("go_memstats_alloc_bytes_total"); n < more<<10 {
		t.Errorf("%d KiB were allocated, and %v bytes are told of", len(kept), n)
	}
	if first["process_open_fds"] == nil {
		return // not on this system
	}
	if n := grown("process_open_fds"); n < more-10 || n > more+10 { // connections of other tests may end meanwhile
		t.Errorf("%d files were opened, and %v are told of", more, n)
	}
	if value(second, "process_cpu_seconds_total") <= 0 || value(second, "process_max_fds") < value(second, "process_open_fds") ||
		value(second, "process_resident_memory_bytes") > value(second, "process_virtual_memory_bytes") {
		t.Errorf("figures that cannot be true: %v", second)
	}
}

// TestStartOfTheProcess: it is before now, by the clock that is read.
func TestStartOfTheProcess(t *testing.T) {
	var e exposition
	writeRuntime(&e)
	at := families(t, string(e.text))["process_start_time_seconds"].Metric[0].GetGauge().GetValue()
	if age := float64(time.Now().UnixMilli())/1000 - at; age < 0 || age > time.Since(started).Seconds()+1 {
		t.Errorf("the process is %v s old", age)
	}
}
