package proxy

import (
	"io"
	"net/http"
	"time"
)

// Paced ends HTTP/2 streams that make no progress: a body that pauses, an answer that is not taken. One stream's window of zero bytes
// holds nobody else up, so nothing below notices (slow read and slow body, DS-01). For HTTP/1 StrictHTTP1 does it.
func Paced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		c := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{r.Body, c}
		}
		next.ServeHTTP(&pacedWriter{w, c}, r)
		c.SetWriteDeadline(time.Now().Add(writeProgress)) // for what net/http has still to send
	})
}

type pacedBody struct {
	io.ReadCloser
	stream *http.ResponseController
}

func (b *pacedBody) Read(p []byte) (int, error) {
	stuck := time.AfterFunc(bodyProgress, func() { b.stream.SetReadDeadline(time.Unix(1, 0)) })
	defer stuck.Stop()
	return b.ReadCloser.Read(p)
}

type pacedWriter struct {
	http.ResponseWriter
	stream *http.ResponseController
}

func (w *pacedWriter) Write(p []byte) (int, error) {
	defer w.watch().Stop()
	return w.ResponseWriter.Write(p)
}

// FlushError serves http.ResponseController.
func (w *pacedWriter) FlushError() error {
	defer w.watch().Stop()
	return w.stream.Flush()
}

func (w *pacedWriter) watch() *time.Timer {
	return time.AfterFunc(writeProgress, func() { w.stream.SetWriteDeadline(time.Unix(1, 0)) })
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
