package cli

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/hubgate/hubgate/internal/logging"
)

// exitWait limits how long the process waits at exit for a reader of its output.
const exitWait = time.Second

// detach makes a long-running command independent of the readers of its output: separate goroutines write it, and a
// closed pipe does not kill the process (SIGPIPE). Other commands do not call it, so that "hubgate pages | head" ends.
func (e *env) detach() (stdout io.Writer, stderr *logging.Writer) {
	signal.Ignore(syscall.SIGPIPE)
	out, stderr := logging.NewWriter(e.stdout), logging.NewWriter(e.stderr)
	e.stdout, e.stderr = out, stderr
	e.detached = []*logging.Writer{out, stderr}
	return out, stderr
}

// finish flushes the output of a detached command.
func (e *env) finish() {
	var all sync.WaitGroup
	for _, w := range e.detached {
		all.Go(func() { w.Close(exitWait) })
	}
	all.Wait()
}

// isTerminal reports whether a person is at the other end of a stream, who can read colors and confirm.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && hasWindow(file)
}
