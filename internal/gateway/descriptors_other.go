//go:build !unix

package gateway

// maxDescriptors is not limited on this system.
func maxDescriptors() (n uint64, known bool) { return 0, false }
