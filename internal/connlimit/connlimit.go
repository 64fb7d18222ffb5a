package connlimit

import (
	"net"
	"net/netip"
	"sync"

	"github.com/hubgate/hubgate/internal/inbound"
)

// PerClient limits the connections that one client has open: one IPv4 address, or one IPv6 /64.
type PerClient struct {
	Limit  int            // 0 = no limit
	Exempt []netip.Prefix // trusted proxies, which forward the connections of many clients
}

// listener limits the connections of one client, so that it cannot use up those of all others (connection exhaustion,
// CWE-770). A connection above the client's limit is closed unread; one above the total waits in the backlog.
type listener struct {
	net.Listener
	perClient func() PerClient
	slots     chan struct{} // one for each connection that may be open; nil = no limit
	closed    chan struct{}
	close     sync.Once

	mu   sync.Mutex
	open map[netip.Prefix]int
}

// New returns a listener that has at most total connections open; 0 = no limit. It calls perClient for each connection,
// because a reload may change the limit.
func New(l net.Listener, total int, perClient func() PerClient) net.Listener {
	limited := &listener{
		Listener: l, perClient: perClient, closed: make(chan struct{}), open: map[netip.Prefix]int{},
	}
	if total > 0 {
		limited.slots = make(chan struct{}, total)
	}
	return limited
}

// Accept waits for a connection that is within the limits.
func (l *listener) Accept() (net.Conn, error) {
	if err := l.acquireSlot(); err != nil {
		return nil, err
	}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			l.releaseSlot()
			return nil, err
		}
		client := clientOf(c)
		if !l.admit(client) {
			c.Close()
			continue
		}
		return &conn{Conn: c, release: sync.OnceFunc(func() { l.release(client); l.releaseSlot() })}, nil
	}
}

func (l *listener) acquireSlot() error {
	if l.slots == nil {
		return nil
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-l.closed:
		return net.ErrClosed
	}
}

func (l *listener) releaseSlot() {
	if l.slots != nil {
		<-l.slots
	}
}

// Close closes the listener; an Accept that waits for a slot returns.
func (l *listener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// clientOf returns the address of the peer. IPv4-mapped IPv6 addresses are unmapped.
func clientOf(c net.Conn) netip.Addr {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}

// admit reports whether a client may open one more connection, and counts it.
func (l *listener) admit(client netip.Addr) bool {
	policy, network := l.perClient(), inbound.NetworkOf(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if policy.Limit > 0 && l.open[network] >= policy.Limit && !containsAddress(policy.Exempt, client) {
		return false
	}
	l.open[network]++
	return true
}

func (l *listener) release(client netip.Addr) {
	network := inbound.NetworkOf(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network]--; l.open[network] == 0 {
		delete(l.open, network)
	}
}

func containsAddress(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
