package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ownCPU is the processor time that this process has used, by all its threads.
func ownCPU() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// cpuOf is the processor time that another process has used. Its clock has the
// number that clock_getcpuclockid(3) would return, and counts in nanoseconds,
// where /proc/PID/stat counts in hundredths of a second.
func cpuOf(pid int) (time.Duration, error) {
	const schedulerClock = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &t); err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
