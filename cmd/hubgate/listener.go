package main

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/hubgate/hubgate/proxy"
)

// listeners are where the process is reached. plain, which answers ACME challenges and redirects to https, may be nil.
type listeners struct{ public, plain, admin net.Listener }

// listen opens all or none.
func (g *gateway) listen() (*listeners, error) {
	gen := g.current.Load()
	cfg := gen.cfg.Server
	places := []struct{ key, address string }{{"server.listen", cfg.Listen}, {"server.admin_listen", cfg.AdminListen}, {"server.tls.http_listen", cfg.TLS.HTTPListen}}
	var open [3]net.Listener
	for i, at := range places {
		if at.address == "" {
			continue
		}
		var err error
		if open[i], err = net.Listen("tcp", at.address); err != nil {
			for _, l := range open[:i] {
				l.Close()
			}
			return nil, fmt.Errorf("%s: %w", at.key, err)
		}
	}
	l := &listeners{admin: keepNewest(open[1], adminConnections)}
	limited := g.limited(open[0], int(cfg.Limits.Connections))
	l.public = proxy.StrictHTTP1(limited, g.certs.tls(), cfg.Limits.HeaderTimeout.D())
	if open[2] != nil {
		l.plain = proxy.StrictHTTP1(g.limited(open[2], int(cfg.Limits.Connections)), nil, 0)
	}
	return l, nil
}

func (g *gateway) limited(l net.Listener, total int) net.Listener {
	return limitConnections(l, total, func() perAddress {
		gen := g.current.Load()
		return perAddress{int(gen.cfg.Server.Limits.ConnectionsPerAddress), gen.trusted}
	})
}

// perAddress is how many connections one address may hold at a time, and who may hold any number: trusted proxies, from whom
// everybody's connections come. 0 = no limit.
type perAddress struct {
	limit  int
	exempt []netip.Prefix
}

// limitedListener bounds the connections of all together, and those of one address, so that a single machine cannot take them all
// (connection flood, DS-05). Over the address's limit a connection is closed unread; over the total it waits in the system's queue.
type limitedListener struct {
	net.Listener
	policy func() perAddress // as of now: a reload may change it
	places chan struct{}     // as many as there may be connections; nil = no limit
	done   chan struct{}
	close  sync.Once

	mu   sync.Mutex
	open map[netip.Addr]int
}

func limitConnections(l net.Listener, total int, policy func() perAddress) net.Listener {
	limited := &limitedListener{Listener: l, policy: policy, done: make(chan struct{}), open: map[netip.Addr]int{}}
	if total > 0 {
		limited.places = make(chan struct{}, total)
	}
	return limited
}

// Accept waits for a connection that is within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	if err := l.takePlace(); err != nil {
		return nil, err
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			l.givePlace()
			return nil, err
		}
		from := peerOf(conn)
		if !l.admit(from) {
			conn.Close()
			continue
		}
		return &countedConn{Conn: conn, gone: sync.OnceFunc(func() { l.leave(from); l.givePlace() })}, nil
	}
}

func (l *limitedListener) takePlace() error {
	if l.places == nil {
		return nil
	}
	select {
	case l.places <- struct{}{}:
		return nil
	case <-l.done:
		return net.ErrClosed
	}
}

func (l *limitedListener) givePlace() {
	if l.places != nil {
		<-l.places
	}
}

// Close also ends the wait for a place.
func (l *limitedListener) Close() error {
	l.close.Do(func() { close(l.done) })
	return l.Listener.Close()
}

func peerOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func (l *limitedListener) admit(a netip.Addr) bool {
	policy, key := l.policy(), counted(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	if policy.limit > 0 && l.open[key] >= policy.limit && !holds(policy.exempt, a) {
		return false
	}
	l.open[key]++
	return true
}

func (l *limitedListener) leave(a netip.Addr) {
	key := counted(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

// counted is what an address counts as: itself, or for IPv6 its /64, which is what one machine has.
func counted(a netip.Addr) netip.Addr {
	if a.Is6() {
		if prefix, err := a.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return a
}

func holds(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// countedConn counts itself out when it is closed.
type countedConn struct {
	net.Conn
	gone func()
}

func (c *countedConn) Close() error {
	c.gone()
	return c.Conn.Close()
}

// CloseWrite ends one half, so that a last answer arrives before the reset.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger decides what becomes of what is not sent yet when the connection is closed.
func (c *countedConn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}
