package server

import (
	"runtime"
	"runtime/debug"
	"time"
)

// The figures of the process and of the Go runtime have the names that Prometheus's
// own clients give them, by which dashboards know them.

// started is when the process was, or very nearly.
var started = time.Now()

var startedFigure = about{"process_start_time_seconds", "gauge", "When the process began, in seconds since 1970."}

// writeRuntime writes the figures of the Go runtime, and when the process began.
func writeRuntime(e *exposition) {
	e.single(startedFigure, float64(started.UnixMilli())/1000)

	e.begin(about{"go_info", "gauge", "The version of Go."})
	e.sample("go_info", labels("").with("version", runtime.Version()), 1)
	threads, _ := runtime.ThreadCreateProfile(nil)
	e.single(about{"go_threads", "gauge", "The system's threads that were made."}, float64(threads))
	e.single(about{"go_goroutines", "gauge", "Goroutines that there are."}, float64(runtime.NumGoroutine()))
	e.single(about{"go_sched_gomaxprocs_threads", "gauge", "Threads that may run Go code at the same time, GOMAXPROCS."}, float64(runtime.GOMAXPROCS(0)))
	e.single(about{"go_gc_gomemlimit_bytes", "gauge", "Limit to the memory of the Go runtime, GOMEMLIMIT."}, float64(debug.SetMemoryLimit(-1)))
	writePauses(e)

	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for _, f := range memoryFigures {
		e.single(f.about, f.of(&m))
	}
}

// writePauses writes the figures of the pauses that garbage collections made.
func writePauses(e *exposition) {
	const name = "go_gc_duration_seconds"
	gc := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&gc)
	e.begin(about{name, "summary", "Pauses that garbage collections made."})
	for i, pause := range gc.PauseQuantiles {
		e.sample(name, labels("").with("quantile", number(float64(i)/4)), pause.Seconds())
	}
	e.sample(name+"_sum", "", gc.PauseTotal.Seconds())
	e.sample(name+"_count", "", float64(gc.NumGC))
}

type memoryFigure struct {
	about
	of func(*runtime.MemStats) float64
}

var memoryFigures = [...]memoryFigure{
	{about{"go_memstats_alloc_bytes", "gauge", "Bytes of the heap that objects take."},
		func(m *runtime.MemStats) float64 { return float64(m.Alloc) }},
	{about{"go_memstats_alloc_bytes_total", "counter", "Bytes of the heap that objects have taken, those that were freed included."},
		func(m *runtime.MemStats) float64 { return float64(m.TotalAlloc) }},
	{about{"go_memstats_buck_hash_sys_bytes", "gauge", "Bytes for profiling."},
		func(m *runtime.MemStats) float64 { return float64(m.BuckHashSys) }},
	{about{"go_memstats_frees_total", "counter", "Objects of the heap that were freed."},
		func(m *runtime.MemStats) float64 { return float64(m.Frees) }},
	{about{"go_memstats_gc_sys_bytes", "gauge", "Bytes for the work of the garbage collector."},
		func(m *runtime.MemStats) float64 { return float64(m.GCSys) }},
	{about{"go_memstats_heap_alloc_bytes", "gauge", "The same as go_memstats_alloc_bytes."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapAlloc) }},
	{about{"go_memstats_heap_idle_bytes", "gauge", "Bytes of the heap in spans without objects."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapIdle) }},
	{about{"go_memstats_heap_inuse_bytes", "gauge", "Bytes of the heap in spans with objects."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapInuse) }},
	{about{"go_memstats_heap_objects", "gauge", "Objects of the heap."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapObjects) }},
	{about{"go_memstats_heap_released_bytes", "gauge", "Bytes of the heap that were given back to the system."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapReleased) }},
	{about{"go_memstats_heap_sys_bytes", "gauge", "Bytes of the heap that are reserved."},
		func(m *runtime.MemStats) float64 { return float64(m.HeapSys) }},
	{about{"go_memstats_last_gc_time_seconds", "gauge", "When the last garbage collection ended, in seconds since 1970."},
		func(m *runtime.MemStats) float64 { return float64(m.LastGC) / 1e9 }},
	{about{"go_memstats_mallocs_total", "counter", "Objects of the heap that were made."},
		func(m *runtime.MemStats) float64 { return float64(m.Mallocs) }},
	{about{"go_memstats_mcache_inuse_bytes", "gauge", "Bytes in use for mcache structures."},
		func(m *runtime.MemStats) float64 { return float64(m.MCacheInuse) }},
	{about{"go_memstats_mcache_sys_bytes", "gauge", "Bytes reserved for mcache structures."},
		func(m *runtime.MemStats) float64 { return float64(m.MCacheSys) }},
	{about{"go_memstats_mspan_inuse_bytes", "gauge", "Bytes in use for mspan structures."},
		func(m *runtime.MemStats) float64 { return float64(m.MSpanInuse) }},
	{about{"go_memstats_mspan_sys_bytes", "gauge", "Bytes reserved for mspan structures."},
		func(m *runtime.MemStats) float64 { return float64(m.MSpanSys) }},
	{about{"go_memstats_next_gc_bytes", "gauge", "Size of the heap at which the next garbage collection shall end."},
		func(m *runtime.MemStats) float64 { return float64(m.NextGC) }},
	{about{"go_memstats_other_sys_bytes", "gauge", "Bytes for everything else in the runtime."},
		func(m *runtime.MemStats) float64 { return float64(m.OtherSys) }},
	{about{"go_memstats_stack_inuse_bytes", "gauge", "Bytes in use for stacks."},
		func(m *runtime.MemStats) float64 { return float64(m.StackInuse) }},
	{about{"go_memstats_stack_sys_bytes", "gauge", "Bytes reserved for stacks, those of the system's threads included."},
		func(m *runtime.MemStats) float64 { return float64(m.StackSys) }},
	{about{"go_memstats_sys_bytes", "gauge", "Bytes reserved in all."},
		func(m *runtime.MemStats) float64 { return float64(m.Sys) }},
}
