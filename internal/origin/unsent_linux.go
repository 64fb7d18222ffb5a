package origin

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxUnsent is how much of a request waits in the kernel until the origin opens its window.
const maxUnsent = 64 << 10

// limitUnsent makes the progress of a slow origin visible: with megabytes in the kernel's buffer, a write would wait
// until a third of them is sent. It does not limit data in flight, so it costs no throughput.
func limitUnsent(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// Without the option, progress is only visible less often.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	})
}
