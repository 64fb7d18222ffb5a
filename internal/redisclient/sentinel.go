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

// sentinelDialer makes go-redis greet the sentinels with their password as of now. The library keeps the one it was made with, and
// offers no way to change it, so it gets a stand-in, which is exchanged in the greeting of each new connection.
func sentinelDialer(o redis.UniversalOptions, password func() string) (standIn string, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	standIn = rand.Text()
	plain := &net.Dialer{Timeout: o.DialTimeout}
	return standIn, func(ctx context.Context, network, address string) (net.Conn, error) {
		if o.TLSConfig != nil {
			conn, err := (&tls.Dialer{NetDialer: plain, Config: o.TLSConfig}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &greeting{Conn: conn, standIn: bulk(standIn), password: password}, nil
		}
		conn, err := plain.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		raw, _ := conn.(syscall.Conn) // by which go-redis finds connections that the other end has closed
		return struct {
			*greeting
			syscall.Conn
		}{&greeting{Conn: conn, standIn: bulk(standIn), password: password}, raw}, nil
	}
}

// greeting is a connection whose first words may hold the stand-in.
type greeting struct {
	net.Conn
	standIn  []byte
	password func() string
	writes   int
}

// greetingWrites are HELLO, and AUTH for a server that does not know it.
const greetingWrites = 2

// Write exchanges the stand-in while the connection greets.
func (g *greeting) Write(p []byte) (int, error) {
	if g.writes++; g.writes > greetingWrites || !bytes.Contains(p, g.standIn) {
		return g.Conn.Write(p)
	}
	if _, err := g.Conn.Write(bytes.Replace(p, g.standIn, bulk(g.password()), 1)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// bulk is a text as Redis' protocol writes it.
func bulk(text string) []byte { return fmt.Appendf(nil, "$%d\r\n%s\r\n", len(text), text) }
