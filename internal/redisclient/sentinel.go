package redisclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"syscall"

	"github.com/redis/go-redis/v9"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// sentinelDialer lets go-redis log in to the sentinels with their current password. The library keeps the password it
// was created with and cannot be given another one, so it gets a placeholder, which each new connection replaces with
// the password.
func sentinelDialer(o redis.UniversalOptions, password func() string) (placeholder string, dial dialFunc) {
	placeholder = rand.Text()
	dialer := &net.Dialer{Timeout: o.DialTimeout}
	return placeholder, func(ctx context.Context, network, address string) (net.Conn, error) {
		if o.TLSConfig != nil {
			tlsDialer := &tls.Dialer{NetDialer: dialer, Config: o.TLSConfig}
			conn, err := tlsDialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &loginConn{Conn: conn, placeholder: bulkString(placeholder), password: password}, nil
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		raw, _ := conn.(syscall.Conn) // go-redis uses it to find connections that the server has closed
		return struct {
			*loginConn
			syscall.Conn
		}{&loginConn{Conn: conn, placeholder: bulkString(placeholder), password: password}, raw}, nil
	}
}

// loginConn is a connection whose first writes may contain the placeholder.
type loginConn struct {
	net.Conn
	placeholder []byte
	password    func() string
	writes      int
}

// loginWrites are HELLO, and AUTH for a server that does not know HELLO.
const loginWrites = 2

// Write replaces the placeholder with the password while go-redis logs in.
func (c *loginConn) Write(p []byte) (int, error) {
	if c.writes++; c.writes > loginWrites || !bytes.Contains(p, c.placeholder) {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(bytes.Replace(p, c.placeholder, bulkString(c.password()), 1)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// bulkString encodes a string in the Redis protocol.
func bulkString(text string) []byte { return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(text), text) }
