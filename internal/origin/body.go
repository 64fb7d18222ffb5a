package origin

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
)

// body is a response's body. It owns the connection until its end or Close, which may run during a Read.
type body struct {
	io.ReadCloser
	conn  *conn
	keep  bool // whether to keep the connection after the body
	ctx   context.Context
	state atomic.Int32
}

// The states of a body.
const (
	unread int32 = iota
	finished
	closed
)

func (b *body) Read(p []byte) (int, error) {
	if b.state.Load() == closed { // no buffered data after Close
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.end(finished, b.keep)
	default:
		b.end(closed, false)
		err = causeOf(b.ctx, err)
	}
	return n, err
}

// Close drops the connection with the unread rest: reading it would cost more than a new connection.
func (b *body) Close() error {
	b.end(closed, false)
	return nil
}

func (b *body) end(state int32, keep bool) {
	if b.state.CompareAndSwap(unread, state) {
		b.conn.release(keep)
	}
}
