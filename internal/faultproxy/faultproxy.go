package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Fault describes a network fault. The zero value is no fault.
type Fault struct {
	Refuse   bool          // new connections are refused, open ones reset
	Hang     bool          // connections are accepted, but all traffic is dropped
	HalfOpen bool          // requests arrive, responses are dropped
	Delay    time.Duration // before each chunk of a response
	Garbage  bool          // responses are replaced by data of another protocol
	PerChunk int           // size of response chunks in bytes, each after Delay; 0 = unchanged
}

// Proxy forwards connections to one address. It is safe for concurrent use.
type Proxy struct {
	target, address string

	fault    atomic.Pointer[Fault]
	accepted atomic.Int64
	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	done     chan struct{}
	serving  sync.WaitGroup
}

// New starts a proxy to target on a free port.
func New(target string) (*Proxy, error) {
	p := &Proxy{target: target, open: map[net.Conn]bool{}, done: make(chan struct{})}
	p.fault.Store(&Fault{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	p.address = l.Addr().String()
	p.listen(l)
	return p, nil
}

// Addr returns the proxy's address.
func (p *Proxy) Addr() string { return p.address }

// Accepted returns the number of accepted connections, which reveals retry storms.
func (p *Proxy) Accepted() int64 { return p.accepted.Load() }

// Set changes the fault, for open connections too. Data that a fault held back is never delivered: those connections
// are reset, as after a restart of the host.
func (p *Proxy) Set(f Fault) error {
	before := *p.fault.Swap(&f)
	if before.Refuse && !f.Refuse {
		l, err := net.Listen("tcp", p.address)
		if err != nil {
			return fmt.Errorf("faultproxy: listen again: %w", err)
		}
		p.listen(l)
	}
	if f.Refuse && !before.Refuse {
		p.mu.Lock()
		p.listener.Close()
		p.mu.Unlock()
	}
	if f.Refuse || before.Hang || before.HalfOpen || before.Garbage {
		p.Cut()
	}
	return nil
}

// Cut resets every open connection; new ones are accepted.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		reset(c)
	}
}

// Close stops the proxy and waits for its goroutines.
func (p *Proxy) Close() error {
	p.mu.Lock()
	close(p.done)
	err := p.listener.Close()
	for c := range p.open {
		reset(c)
	}
	p.mu.Unlock()
	p.serving.Wait()
	if errors.Is(err, net.ErrClosed) { // the last fault was Refuse
		return nil
	}
	return err
}

func (p *Proxy) listen(l net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener = l
	p.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.accepted.Add(1)
			p.serving.Go(func() { p.serve(c) })
		}
	})
}

// reset closes a connection with RST, like a crashed host or a firewall.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the connection may be gone already
	}
	c.Close()
}

// track registers a connection for Cut and Close. It returns false if the proxy is closed.
func (p *Proxy) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		reset(c)
		return false
	default:
		p.open[c] = true
		return true
	}
}

func (p *Proxy) untrack(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	c.Close()
}

func (p *Proxy) serve(client net.Conn) {
	if !p.track(client) {
		return
	}
	defer p.untrack(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	if !p.track(server) {
		return
	}
	defer p.untrack(server)
	p.serving.Go(func() {
		p.copyWithFaults(server, client, false)
		server.Close()
	})
	p.copyWithFaults(client, server, true)
}
