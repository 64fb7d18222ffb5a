package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/background"
)

// clientBody remembers whether reading the visitor's body failed, so that a broken body is not blamed on the origin.
// net/http's transport reads it in a goroutine of its own.
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

// errSessionEnded is why an exchange ends whose visitor is not to have it any more.
var errSessionEnded = errors.New("proxy: the session has ended, or is not admitted any more")

// originBody is the body of the origin's answer. It can be ended while it is being read, and remembers why it could
// not be read.
type originBody struct {
	io.ReadCloser
	ending  atomic.Int32
	failure error // only for the goroutine that reads
}

// How a body is ended.
const (
	breakOff int32 = iota + 1 // what is left, in buffers, too, is not for the visitor
	complete                  // as if all had been said
)

func (b *originBody) Read(p []byte) (int, error) {
	if b.ending.Load() == breakOff {
		return b.failed(errSessionEnded)
	}
	n, err := b.ReadCloser.Read(p)
	switch ending := b.ending.Load(); {
	case ending == breakOff:
		return b.failed(errSessionEnded)
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

// errUnsolicited is the origin's: an answer to something that the gateway has not asked.
var errUnsolicited = errors.New("proxy: the origin answers what it was not asked")

// checkUnsolicited judges an answer by its request. What a status does to a connection or to a cache is for our own
// request to decide, never for whoever answers it (response splitting, protocol confusion).
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
		return errUnsolicited // net/http's transport takes what is below 100 for final, and a visitor cannot be sent it
	case status == http.StatusNotModified && asked["If-None-Match"] == nil && asked["If-Modified-Since"] == nil:
		return errUnsolicited
	}
	return nil
}
