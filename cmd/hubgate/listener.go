package main

import (
	"net"
	"net/netip"
	"sync"
)

// perAddress limits how many connections one address may hold at a time, so that a single machine cannot take them all (DS-05).
// Trusted proxies are exempt: everybody's connections come from them. A connection over the limit is closed unread.
type perAddress struct {
	net.Listener
	limit  int
	exempt []netip.Prefix

	mu   sync.Mutex
	open map[netip.Addr]int
}

func limitPerAddress(l net.Listener, limit int, exempt []netip.Prefix) net.Listener {
	if limit == 0 {
		return l
	}
	return &perAddress{Listener: l, limit: limit, exempt: exempt, open: map[netip.Addr]int{}}
}

// Accept waits for a connection that is within the limit.
func (l *perAddress) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := peerOf(conn)
		if l.exempts(from) {
			return conn, nil
		}
		if !l.admit(from) {
			conn.Close()
			continue
		}
		return &countedConn{Conn: conn, gone: sync.OnceFunc(func() { l.leave(from) })}, nil
	}
}

func peerOf(conn net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func (l *perAddress) exempts(a netip.Addr) bool {
	for _, prefix := range l.exempt {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

func (l *perAddress) admit(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[a] >= l.limit {
		return false
	}
	l.open[a]++
	return true
}

func (l *perAddress) leave(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[a]--; l.open[a] == 0 {
		delete(l.open, a)
	}
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
