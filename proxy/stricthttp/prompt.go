package stricthttp

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// bodyDrain is how long the client may take to send the rest of a body that is not used.
const bodyDrain = 5 * time.Second

// Prompt sends every response at once, even if the request's body has not arrived. net/http would read the body first,
// and wait for a client that announces one and sends nothing (slow body, CWE-400). The rest of the body gets a short
// time limit, and then the connection is closed. In HTTP/2 a response waits for nothing.
func Prompt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.ProtoMajor != 1 {
			next.ServeHTTP(w, r)
			return
		}
		body := &endingBody{ReadCloser: r.Body}
		in := r.WithContext(r.Context()) // net/http inspects the body of its own request
		in.Body = body
		writer := &promptWriter{ResponseWriter: w, body: body}
		next.ServeHTTP(writer, in)
		writer.leave()
	})
}

// endingBody records whether all of it was read.
type endingBody struct {
	io.ReadCloser
	ended atomic.Bool
}

func (b *endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

type promptWriter struct {
	http.ResponseWriter
	body  *endingBody
	begun bool // the final response
}

// begin prepares the final response.
func (w *promptWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if !w.body.ended.Load() {
		w.Header().Set("Connection", "close")
		// Recorders of tests do not support it, and do not need it.
		_ = http.NewResponseController(w.ResponseWriter).EnableFullDuplex()
	}
}

// leave limits the time for the rest of the body, which net/http reads after the handler has returned.
func (w *promptWriter) leave() {
	w.begin()
	if !w.body.ended.Load() {
		_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(time.Now().Add(bodyDrain)) // as above
	}
}

// WriteHeader sends the header. Responses with status 1xx precede the final one, except 101.
func (w *promptWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *promptWriter) Write(p []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(p)
}

// FlushError serves http.ResponseController.
func (w *promptWriter) FlushError() error {
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (w *promptWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
