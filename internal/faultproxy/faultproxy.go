// Package faultproxy is the bad network between two parts: a TCP proxy that refuses, delays, cuts, swallows, garbles or throttles what
// passes. Tests put it between hubgate and Redis. It imports none of ours.
package faultproxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what the network does wrong. The zero value is a network without faults.
type Fault struct {
	Refuse   bool          // connections are refused, the open ones are reset
	Hang     bool          // connections are accepted; nothing passes in either direction
	HalfOpen bool          // what the client sends arrives, answers never do: the far end is gone without a word
	Delay    time.Duration // before each piece of an answer
	Garbage  bool          // answers are replaced by what no protocol says
	PerChunk int           // answers come in pieces of so many bytes, each after Delay; 0: as they come
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

// New opens a proxy before target on a port of the system's choice.
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

// Addr is where to connect.
func (p *Proxy) Addr() string { return p.address }

// Accepted counts the connections that were taken: a storm of retries shows here.
func (p *Proxy) Accepted() int64 { return p.accepted.Load() }

// Set changes what is wrong, for open connections too. After a fault nothing of what it held back is delivered: those connections
// are reset, as they are when a host comes back that has forgotten them.
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

// Cut resets every open connection; new ones are taken as before.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		reset(c)
	}
}

// Close ends the proxy and waits for its goroutines.
func (p *Proxy) Close() error {
	p.mu.Lock()
	close(p.done)
	err := p.listener.Close()
	for c := range p.open {
		reset(c)
	}
	p.mu.Unlock()
	p.serving.Wait()
	if errors.Is(err, net.ErrClosed) { // it refused at the end
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

// reset ends a connection by RST, as a crashed host or an impatient firewall does.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the connection may be gone already
	}
	c.Close()
}

// hold notes a connection for Cut and Close; false when the proxy is closed.
func (p *Proxy) hold(c net.Conn) bool {
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

func (p *Proxy) let(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	c.Close()
}

func (p *Proxy) serve(client net.Conn) {
	if !p.hold(client) {
		return
	}
	defer p.let(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	if !p.hold(server) {
		return
	}
	defer p.let(server)
	p.serving.Go(func() {
		p.pump(server, client, false)
		server.Close()
	})
	p.pump(client, server, true)
}
