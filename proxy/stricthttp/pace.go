package stricthttp

import (
	"io"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// Paced ends HTTP/2 streams that make no progress: bodies that pause, responses that are not read. A stream whose
// window is empty holds up no other, so nothing below notices (slow read and slow body, CWE-400). NewListener does it
// for HTTP/1.
//
// Deadlines of net/http alone would end a stream whose origin is slow, because they run even while there is nothing to
// read or write. So a timer sets a deadline that has passed. After the handler has returned, net/http reuses the
// ResponseWriter for the next stream, and touching it would end the process: the watchdogs are stopped before, and
// whatever still holds the body cannot reach it.
func Paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			expire := func() { c.SetReadDeadline(time.Unix(1, 0)) }
			body := &pacedBody{r.Body, background.NewWatchdog(bodyProgress, expire)}
			defer body.watchdog.Stop()
			r.Body = body
		}
		expire := func() { c.SetWriteDeadline(time.Unix(1, 0)) }
		writer := &pacedWriter{w, background.NewWatchdog(writeProgress, expire)}
		defer writer.watchdog.Stop()
		next.ServeHTTP(writer, r)
		c.SetWriteDeadline(time.Now().Add(writeProgress)) // for what net/http has buffered
	})
}

type pacedBody struct {
	io.ReadCloser
	watchdog *background.Watchdog
}

// Read may be called after the handler has returned, by a transport that is still sending the body.
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
