//go:build unix

package origin

import "syscall"

// readNow reads without blocking: package net sets its descriptors to non-blocking mode.
func readNow(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }
