package e2e

import (
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer passes connections in turn to the replicas that report to be ready. It retries nothing: what a replica loses
// is lost.
type balancer struct {
	replicas []*replica
	next     atomic.Int64
}

// replica is a gateway behind a balancer.
type replica struct {
	*gateway
	ready atomic.Bool
}

func startBalancer(t *testing.T, port int, replicas []*replica) *balancer {
	t.Helper()
	b := &balancer{replicas: replicas}
	var probes sync.WaitGroup
	over := make(chan struct{})
	for _, r := range replicas {
		probes.Go(func() { r.probe(over) })
	}
	t.Cleanup(func() { close(over); probes.Wait() })
	accept(listen(t, port), b.join)
	return b
}

// accept handles each connection in a new goroutine until the listener is closed.
func accept(l net.Listener, handle func(net.Conn)) {
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
}

// probe keeps asking for the replica's health.
func (r *replica) probe(over <-chan struct{}) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := client.Get(address(r.admin) + "/readyz")
		if err == nil {
			res.Body.Close()
		}
		r.ready.Store(err == nil && res.StatusCode == http.StatusOK)
		select {
		case <-tick.C:
		case <-over:
			return
		}
	}
}

func (b *balancer) join(visitor net.Conn) {
	defer visitor.Close()
	for range 2 * len(b.replicas) {
		r := b.replicas[int(b.next.Add(1))%len(b.replicas)]
		if !r.ready.Load() {
			continue
		}
		conn, err := net.Dial("tcp", local(r.port))
		if err != nil {
			return
		}
		defer conn.Close()
		back := make(chan struct{})
		go func() {
			defer close(back)
			io.Copy(conn, visitor)
			conn.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(visitor, conn)
		visitor.(*net.TCPConn).CloseWrite()
		<-back
		return
	}
}
