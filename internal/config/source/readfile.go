package source

import (
	"io"
	"os"
	"syscall"
	"time"
)

// pipeTimeout limits the wait for data from a pipe.
const pipeTimeout = 5 * time.Second

// ReadBounded reads at most limit bytes and one more. It opens pipes without waiting for a writer, so that it cannot
// hang.
func ReadBounded(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	_ = file.SetReadDeadline(time.Now().Add(pipeTimeout)) // regular files have no deadline
	return io.ReadAll(io.LimitReader(file, limit+1))
}
