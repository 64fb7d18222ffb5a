package cli

import (
	"io"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hubgate/hubgate/internal/logging"
)

// exitWait is how long an ending process waits for whoever reads its output.
const exitWait = time.Second

// detach makes a command independent of whoever reads its output: what it prints is written by goroutines of their own,
// and a reader that goes away does not kill the process (SIGPIPE). Commands that print a result and end keep both:
// "hubgate pages | head" ends.
func (e *env) detach() (stdout io.Writer, stderr *logging.Writer) {
	signal.Ignore(syscall.SIGPIPE)
	out, stderr := logging.NewWriter(e.stdout), logging.NewWriter(e.stderr)
	e.stdout, e.stderr = out, stderr
	e.detached = []*logging.Writer{out, stderr}
	return out, stderr
}

// finish writes what a detached command has printed, as far as that is read.
func (e *env) finish() {
	var all sync.WaitGroup
	for _, w := range e.detached {
		all.Go(func() { w.Close(exitWait) })
	}
	all.Wait()
}
