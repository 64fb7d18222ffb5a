package connlimit

import "net"

// conn is a connection that is counted until it is closed.
type conn struct {
	net.Conn
	release func()
}

// Close closes the connection and makes room for another one.
func (c *conn) Close() error {
	c.release()
	return c.Conn.Close()
}

// CloseWrite closes the sending half, so that the client can still read the last response.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger sets what happens to data that is not sent yet when the connection is closed.
func (c *conn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}
