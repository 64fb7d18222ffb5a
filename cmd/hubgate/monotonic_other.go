//go:build !unix

package main

// monotonicMicroseconds: without systemd nobody compares it.
func monotonicMicroseconds() int64 { return 0 }
