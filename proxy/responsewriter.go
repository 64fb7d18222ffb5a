package proxy

import (
	"bufio"
	"errors"
	"maps"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/background"
)

// responseWriter is what httputil writes the origin's response into. It passes on only the final response: 1xx
// responses and trailers would carry headers of the origin past modify. What httputil writes into the header is
// discarded.
//
// It holds the response back until there is more than a buffer of it, or it is flushed, or complete. Until then nothing
// was sent, and if the origin fails the visitor can get an error page.
type responseWriter struct {
	http.ResponseWriter
	socket *socket  // what the connection becomes when it is hijacked
	pool   *buffers // for held

	discarded http.Header // what httputil sees
	header    http.Header // the origin's
	length    int64       // of its body; -1 = unknown
	status    int         // 0 = none yet, or replaced
	held      []byte      // what is not sent yet
	sent      bool        // held was sent, or another response

	begun   atomic.Bool // part of the response was sent, for a watch
	failure error       // of the last flush
}

// take takes the header of the final response, without httputil's copy of each value. What httputil still reads stays
// in res: that a response is a stream of events, and everything of one that changes protocols.
func (w *responseWriter) take(res *http.Response, events bool) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		own := w.ResponseWriter.Header()
		w.discarded = own // httputil writes it to the connection, with the origin's
		for name := range res.Header {
			delete(own, name)
		}
		return
	}
	w.header, w.length = res.Header, res.ContentLength
	if res.Header = nil; events {
		res.Header = http.Header{"Content-Type": w.header["Content-Type"]}
		return
	}
	res.ContentLength = 0 // httputil flushes each piece of a body of unknown length
}

// Header returns a header that is discarded; send sends the origin's.
func (w *responseWriter) Header() http.Header {
	if w.discarded == nil {
		w.discarded = http.Header{}
	}
	return w.discarded
}

// WriteHeader records the final status.
func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if w.failure != nil {
		return 0, w.failure
	}
	if !w.sent && len(w.held)+len(p) <= len(buffer{}) && int64(len(w.held)+len(p)) != w.length {
		if w.held == nil {
			w.held = w.pool.Get()[:0]
		}
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if err := w.send(); err != nil {
		return 0, err
	}
	return w.ResponseWriter.Write(p)
}

// send sends the header and what is held back.
func (w *responseWriter) send() error {
	if w.sent || w.status == 0 {
		return nil
	}
	w.sent = true
	w.begun.Store(true)
	own := w.ResponseWriter.Header()
	maps.Copy(own, w.header)
	delete(own, "Trailer")
	w.ResponseWriter.WriteHeader(w.status)
	return w.release(func(held []byte) error {
		_, err := w.ResponseWriter.Write(held)
		return err
	})
}

// replace drops the response and returns the writer for another one.
func (w *responseWriter) replace() http.ResponseWriter {
	w.sent, w.status = true, 0
	_ = w.release(func([]byte) error { return nil })
	return w.ResponseWriter
}

// release passes what is held back to use, and returns the buffer to the pool.
func (w *responseWriter) release(use func(held []byte) error) error {
	if w.held == nil {
		return nil
	}
	held := w.held
	w.held = nil
	defer w.pool.Put(held[:len(buffer{})])
	return use(held)
}

// reset resets the connection of an HTTP/1.0 response, whose end may be marked only by the end of the connection, so
// that it does not look complete.
func (w *responseWriter) reset(r *http.Request) {
	if r.ProtoMajor != 1 || r.ProtoMinor > 0 {
		return
	}
	conn, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if strict, ok := conn.(interface{ ResetOnClose() }); ok {
		strict.ResetOnClose()
	}
}

// FlushError supports http.ResponseController. httputil calls it from a timer and ignores its result.
func (w *responseWriter) FlushError() (err error) {
	defer func() {
		if !errors.Is(err, http.ErrNotSupported) {
			w.failure = err
		}
	}()
	defer background.Recover(&err)
	if err := w.send(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hijacks the connection for a WebSocket, which tracks its frames. What follows on it is not HTTP.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.socket == nil {
		return nil, nil, http.ErrNotSupported
	}
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.sent = true
	if strict, ok := conn.(interface{ LeaveHTTP() }); ok {
		strict.LeaveHTTP()
	}
	return w.socket.attach(conn), rw, nil
}

// Unwrap supports http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
