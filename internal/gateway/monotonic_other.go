//go:build !unix

package gateway

// monotonicMicroseconds returns 0, because there is no systemd on this system.
func monotonicMicroseconds() int64 { return 0 }
