//go:build !unix

package command

import "os"

// hasWindow returns false: without a reliable test, nothing is confirmed and nothing is colored.
func hasWindow(*os.File) bool { return false }
