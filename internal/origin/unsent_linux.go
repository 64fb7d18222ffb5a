package origin

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// maxUnsent is how much of a request waits in the kernel for the other end to open its window.
const maxUnsent = 64 << 10

// limitUnsent makes the progress of a slow origin visible: with megabytes in the kernel's buffer, a write would wait
// until a third of them is sent. What is under way is not limited, so the throughput stays.
func limitUnsent(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent) // a kernel without it serves, too
	})
}
