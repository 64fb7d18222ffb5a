package stricthttp

import (
	"io"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// Paced ends HTTP/2 streams that make no progress: a body that pauses, an answer that is not taken. One stream's window
// of zero bytes holds nobody else up, so nothing below notices (slow read and slow body, CWE-400). For HTTP/1
// StrictHTTP1 does it.
//
// Deadlines of net/http are no use for that: they run while nobody reads or writes, too, and end a stream whose origin
// is slow. So a timer sets a deadline that has passed. net/http keeps a ResponseWriter for the next stream once the
// handler has returned, so that touching it then ends the process: the watchdogs are stopped before, and nothing that
// still holds the body gets through to it.
func Paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			body := &pacedBody{r.Body, background.NewWatchdog(bodyProgress, func() { c.SetReadDeadline(time.Unix(1, 0)) })}
			defer body.watchdog.Stop()
			r.Body = body
		}
		writer := &pacedWriter{w, background.NewWatchdog(writeProgress, func() { c.SetWriteDeadline(time.Unix(1, 0)) })}
		defer writer.watchdog.Stop()
		next.ServeHTTP(writer, r)
		c.SetWriteDeadline(time.Now().Add(writeProgress)) // for what net/http has still to send
	})
}

type pacedBody struct {
	io.ReadCloser
	watchdog *background.Watchdog
}

// Read may be called when the handler has returned: a transport that was sending the body learns only now that nobody
// wants it.
func (b *pacedBody) Read(p []byte) (int, error) {
	if !b.watchdog.Begin() {
		return 0, http.ErrBodyReadAfterClose
	}
	defer b.watchdog.Done()
	return b.ReadCloser.Read(p)
}

type pacedWriter struct {
	http.ResponseWriter
	watchdog *background.Watchdog
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	if !w.watchdog.Begin() {
		return 0, http.ErrHandlerTimeout
	}
	defer w.watchdog.Done()
	return w.ResponseWriter.Write(p)
}

// FlushError serves http.ResponseController.
func (w *pacedWriter) FlushError() error {
	if !w.watchdog.Begin() {
		return http.ErrHandlerTimeout
	}
	defer w.watchdog.Done()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
