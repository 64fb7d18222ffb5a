package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
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

// accept handles each connection in a goroutine of its own until the listener is closed.
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

// keepAlive is an HTTP/1.1 client that keeps its connection as long as the server allows, and retries nothing.
type keepAlive struct {
	address, cookie string
	conn            net.Conn
	r               *bufio.Reader
}

// do sends a request and returns its status. Only an answer with "Connection: close" may end the connection.
func (k *keepAlive) do(method, path, body string) (int, error) {
	if k.conn == nil {
		conn, err := net.Dial("tcp", k.address)
		if err != nil {
			return 0, err
		}
		k.conn, k.r = conn, bufio.NewReader(conn)
	}
	k.conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, port, _ := net.SplitHostPort(k.address)
	fmt.Fprintf(k.conn, "%s %s HTTP/1.1\r\nHost: localhost:%s\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n"+
		"Sec-Fetch-Dest: document\r\n%sContent-Length: %d\r\n\r\n%s", method, path, port, k.cookie, len(body), body)
	res, err := http.ReadResponse(k.r, &http.Request{Method: method})
	if err != nil {
		k.close()
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err != nil || res.Close {
		k.close()
	}
	return res.StatusCode, err
}

func (k *keepAlive) close() {
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// openSocket opens a WebSocket and checks that it echoes.
func openSocket(t *testing.T, at, path, host string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn := dial(t, at)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host)
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %v %v", res, err)
	}
	conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil || !strings.HasSuffix(string(frame), "hi") {
		t.Fatalf("the WebSocket echoes %q, %v", frame, err)
	}
	return conn, r
}
