package admin

import (
	"container/list"
	"net"
	"sync"
)

// newestListener limits its connections by closing the oldest one.
type newestListener struct {
	net.Listener
	limit int

	mu   sync.Mutex
	open *list.List // of *newestConn, the oldest first
}

// KeepNewest returns a listener that keeps at most limit connections: a client that hangs makes room for a new one.
func KeepNewest(l net.Listener, limit int) net.Listener {
	return &newestListener{Listener: l, limit: limit, open: list.New()}
}

// Accept waits for a connection.
func (l *newestListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &newestConn{Conn: conn, listener: l}
	if oldest := l.add(c); oldest != nil {
		oldest.Close()
	}
	return c, nil
}

// add adds a connection and returns the one to close for it, if any.
func (l *newestListener) add(c *newestConn) *newestConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.element = l.open.PushBack(c)
	if l.open.Len() <= l.limit {
		return nil
	}
	return l.open.Front().Value.(*newestConn)
}

type newestConn struct {
	net.Conn
	listener *newestListener
	element  *list.Element
}

// Close closes the connection and makes room for another one.
func (c *newestConn) Close() error {
	c.listener.mu.Lock()
	c.listener.open.Remove(c.element) // does nothing the second time
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
