package stricthttp

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// bodyDrain is how long the rest of a body may take that nobody wants.
const bodyDrain = 5 * time.Second

// Prompt sends every answer when it is made, whatever is still to come of the request's body. net/http would read on
// before it sends the answer, and wait for a client that announces a body and sends nothing (slow body, CWE-400).
// What is left of the body then has its own, short time, and the connection closes. In HTTP/2 an answer waits for
// nothing.
func Prompt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 || r.ProtoMajor != 1 {
			next.ServeHTTP(w, r)
			return
		}
		body := &endingBody{ReadCloser: r.Body}
		in := r.WithContext(r.Context()) // net/http looks at its own request's body
		in.Body = body
		writer := &promptWriter{ResponseWriter: w, body: body}
		next.ServeHTTP(writer, in)
		writer.leave()
	})
}

// endingBody remembers that all of it was read.
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
	begun bool // the final answer
}

// begin prepares the final answer.
func (w *promptWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if !w.body.ended.Load() {
		w.Header().Set("Connection", "close")
		_ = http.NewResponseController(w.ResponseWriter).EnableFullDuplex() // a test's recorder has none, and needs none
	}
}

// leave lets the rest of the body have its time. net/http reads on when the handler has returned.
func (w *promptWriter) leave() {
	w.begin()
	if !w.body.ended.Load() {
		_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(time.Now().Add(bodyDrain)) // as above
	}
}

// WriteHeader sends the header. 1xx answers come before the final one, except 101 which is final.
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
