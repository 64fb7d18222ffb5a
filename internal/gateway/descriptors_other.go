//go:build !unix

package gateway

// maxDescriptors returns false, because this system has no limit.
func maxDescriptors() (n uint64, known bool) { return 0, false }
