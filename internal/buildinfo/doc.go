// Package buildinfo identifies the build: version, commit, Go version and platform.
//
// It knows what the Go toolchain and the linker recorded in the binary. It never guesses what is missing.
package buildinfo
