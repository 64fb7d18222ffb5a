package connlimit

import (
	"net"
	"net/netip"
	"sync"

	"github.com/hubgate/hubgate/internal/inbound"
)

// PerAddress is how many connections one address may hold at a time, and who may hold any number: trusted proxies, from whom
// everybody's connections come. 0 = no limit.
type PerAddress struct {
	Limit  int
	Exempt []netip.Prefix
}

// limitedListener bounds the connections of all together, and those of one address, so that a single machine cannot take them all
// (connection flood, DS-05). Over the address's limit a connection is closed unread; over the total it waits in the system's queue.
type limitedListener struct {
	net.Listener
	policy func() PerAddress // as of now: a reload may change it
	places chan struct{}     // as many as there may be connections; nil = no limit
	done   chan struct{}
	close  sync.Once

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func Limit(l net.Listener, total int, policy func() PerAddress) net.Listener {
	limited := &limitedListener{Listener: l, policy: policy, done: make(chan struct{}), open: map[netip.Prefix]int{}}
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
		return &Conn{Conn: conn, gone: sync.OnceFunc(func() { l.leave(from); l.givePlace() })}, nil
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
	policy, key := l.policy(), inbound.NetworkOf(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	if policy.Limit > 0 && l.open[key] >= policy.Limit && !holds(policy.Exempt, a) {
		return false
	}
	l.open[key]++
	return true
}

func (l *limitedListener) leave(a netip.Addr) {
	key := inbound.NetworkOf(a)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

func holds(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Conn counts itself out when it is closed.
type Conn struct {
	net.Conn
	gone func()
}

func (c *Conn) Close() error {
	c.gone()
	return c.Conn.Close()
}

// CloseWrite ends one half, so that a last answer arrives before the reset.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger decides what becomes of what is not sent yet when the connection is closed.
func (c *Conn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(interface{ SetLinger(sec int) error }); ok {
		return tcp.SetLinger(sec)
	}
	return nil
}
