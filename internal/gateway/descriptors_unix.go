//go:build unix

package gateway

import (
	"golang.org/x/sys/unix"
)

// maxDescriptors returns how many files and connections the process may open. Go raises the soft limit to the hard one.
func maxDescriptors() (n uint64, known bool) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return limit.Cur, true
}
