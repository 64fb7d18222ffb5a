//go:build unix

package gateway

import (
	"golang.org/x/sys/unix"
)

// monotonicMicroseconds returns CLOCK_MONOTONIC, which systemd compares with the time of a reload.
func monotonicMicroseconds() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0
	}
	return now.Nano() / 1000
}
