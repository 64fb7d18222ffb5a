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

// answerWriter is what the origin's answer is written into on its way to the visitor. It lets only the final answer
// through: 1xx answers would carry the origin's headers past everything that modify does, and trailers would too;
// what httputil writes into the header before and after the final answer goes into one that nobody sees.
//
// It holds the answer back until there is too much of it, or it is flushed, or complete. Until then nothing was sent,
// and an origin that breaks off can still be answered for with a page.
type answerWriter struct {
	http.ResponseWriter
	socket *socket  // what the connection becomes when it is hijacked
	pool   *buffers // for what is held back

	unseen http.Header
	header http.Header // the origin's
	length int64       // of its body; -1 = unknown
	status int         // 0 = none yet, or given up
	held   []byte
	sent   bool // what was held back, or another page instead

	begun   atomic.Bool // sent is true, and was not given up: for a watch
	failure error       // of the last flush
}

// take begins the final answer: its header is handed over as it is, without httputil's copy of each value. What
// httputil still looks at stays with it: that an answer is a stream of events, and everything of one that changes
// protocols.
func (w *answerWriter) take(res *http.Response, events bool) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		own := w.ResponseWriter.Header()
		w.unseen = own // which httputil writes to the connection, with the origin's
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
	res.ContentLength = 0 // of unknown length is not the same as urgent: httputil need not flush each piece of it
}

// Header is never the one that the visitor gets: the origin's is handed over by send.
func (w *answerWriter) Header() http.Header {
	if w.unseen == nil {
		w.unseen = http.Header{}
	}
	return w.unseen
}

// WriteHeader takes the final status.
func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *answerWriter) Write(p []byte) (int, error) {
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

// send sends the header and what was held back.
func (w *answerWriter) send() error {
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

// replace returns the writer for another answer instead.
func (w *answerWriter) replace() http.ResponseWriter {
	w.sent, w.status = true, 0
	_ = w.release(func([]byte) error { return nil })
	return w.ResponseWriter
}

func (w *answerWriter) release(use func(held []byte) error) error {
	if w.held == nil {
		return nil
	}
	held := w.held
	w.held = nil
	defer w.pool.Put(held[:len(buffer{})])
	return use(held)
}

// reset ends the connection of an HTTP/1.0 answer so that it does not look complete: its end may be all that ends the
// answer.
func (w *answerWriter) reset(r *http.Request) {
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

// FlushError serves http.ResponseController. httputil calls it from a timer, and ignores what it returns.
func (w *answerWriter) FlushError() (err error) {
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

// Hijack hands over the connection of a WebSocket, which keeps count of the frames. From now on its bytes are no HTTP.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
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

// Unwrap serves http.ResponseController.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
