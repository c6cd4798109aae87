//go:build linux || darwin || freebsd

package server

import (
	"fmt"
	"os"
	"syscall"
)

// writeProcess writes the figures of the process that this system has.
func writeProcess(e *exposition) {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		e.single(about{"process_cpu_seconds_total", "counter", "Time that the process has computed, its own and in the system."},
			float64(used.Utime.Nano()+used.Stime.Nano())/1e9)
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		e.single(about{"process_max_fds", "gauge", "File descriptors that may be open."}, float64(limit.Cur))
	}
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) == nil {
		e.single(about{"process_virtual_memory_max_bytes", "gauge", "Virtual memory that there may be, in bytes."}, float64(limit.Cur))
	}
	if open, err := os.ReadDir("/dev/fd"); err == nil {
		e.single(about{"process_open_fds", "gauge", "File descriptors that are open."}, float64(len(open)-1)) // one was for reading
	}
	// Linux alone has this file.
	var virtual, resident int64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return
	}
	if _, err := fmt.Sscan(string(text), &virtual, &resident); err != nil {
		return
	}
	page := int64(os.Getpagesize())
	e.single(about{"process_virtual_memory_bytes", "gauge", "Virtual memory, in bytes."}, float64(virtual*page))
	e.single(about{"process_resident_memory_bytes", "gauge", "Memory that is resident, in bytes."}, float64(resident*page))
}
