//go:build unix

package command

import (
	"os"

	"golang.org/x/sys/unix"
)

// hasWindow reports whether a file is a terminal: only terminals have a window size. /dev/null is a character device
// too, so the mode of the file does not identify one.
func hasWindow(file *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
