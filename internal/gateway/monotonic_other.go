//go:build !unix

package gateway

// monotonicMicroseconds: without systemd nobody compares it.
func monotonicMicroseconds() int64 { return 0 }
