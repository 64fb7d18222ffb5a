// Package buildinfo says which hubgate this is: version, commit, Go version and platform.
//
// It knows what the Go toolchain and the linker wrote into the binary. It never guesses what they left out.
package buildinfo
