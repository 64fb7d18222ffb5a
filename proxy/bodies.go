package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/background"
)

// clientBody records whether reading the visitor's body failed, so that the origin is not blamed for it. net/http's
// transport reads it in its own goroutine.
type clientBody struct {
	io.ReadCloser
	failure atomic.Pointer[error]
}

func (b *clientBody) Read(p []byte) (n int, err error) {
	defer background.Recover(&err)
	n, err = b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failure.Store(&err)
	}
	return n, err
}

// errEnded means that a watch ended the exchange, because its session ended or is not admitted any more.
var errEnded = errors.New("proxy: ended while in progress")

// originBody is the body of the origin's response. It can be ended while it is read, and records why reading failed.
type originBody struct {
	io.ReadCloser
	ending  atomic.Int32
	failure error // used by the reading goroutine only
}

// How a body is ended.
const (
	breakOff int32 = iota + 1 // the visitor gets nothing more, not even from buffers
	complete                  // as if it were complete
)

func (b *originBody) Read(p []byte) (int, error) {
	if b.ending.Load() == breakOff {
		return b.failed(errEnded)
	}
	n, err := b.ReadCloser.Read(p)
	switch ending := b.ending.Load(); {
	case ending == breakOff:
		return b.failed(errEnded)
	case err == nil || err == io.EOF:
		return n, err
	case ending == complete:
		return n, io.EOF
	}
	b.failure = err
	return n, err
}

func (b *originBody) failed(err error) (int, error) {
	b.failure = err
	return 0, err
}

// errUnsolicited means that the origin's response does not fit the request.
var errUnsolicited = errors.New("proxy: the origin's response does not fit the request")

// checkUnsolicited returns an error for a response that does not fit the request. What a status does to a connection or
// a cache is decided by the gateway's request alone (response splitting, CWE-113).
func checkUnsolicited(res *http.Response, websocket bool) error {
	asked := res.Request.Header
	switch status := res.StatusCode; {
	case status == http.StatusSwitchingProtocols:
		if websocket && hasToken(res.Header["Connection"], "upgrade") &&
			len(res.Header["Upgrade"]) == 1 && isWebSocketName(res.Header) {
			return nil
		}
		return errUnsolicited
	case status < 200:
		return errUnsolicited // net/http's transport accepts a status below 100, which cannot be sent
	case status == http.StatusNotModified && asked["If-None-Match"] == nil && asked["If-Modified-Since"] == nil:
		return errUnsolicited
	}
	return nil
}
