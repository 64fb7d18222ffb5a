package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer hands connections to replicas in turn, to those alone that say they are ready. It repeats nothing: what a replica loses is lost.
type balancer struct {
	t        *testing.T
	replicas []*replica
	next     atomic.Int64
}

type replica struct {
	port, adminPort int
	ready           atomic.Bool
	process         *process
}

func startBalancer(t *testing.T, port int, replicas []*replica) *balancer {
	t.Helper()
	b := &balancer{t: t, replicas: replicas}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	var probes sync.WaitGroup
	over := make(chan struct{})
	for _, r := range replicas {
		probes.Go(func() { r.probe(over) })
	}
	t.Cleanup(func() { l.Close(); close(over); probes.Wait() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.join(conn)
		}
	}()
	return b
}

// probe asks for a replica's health as a balancer does: again and again.
func (r *replica) probe(over <-chan struct{}) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		res, err := client.Get(address(r.adminPort) + "/readyz")
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
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(r.port))
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

// keepAlive is an HTTP/1.1 client that keeps its connection as long as it is allowed to, and repeats nothing.
type keepAlive struct {
	address, cookie string
	conn            net.Conn
	r               *bufio.Reader
}

// ask makes one request and returns its status. An answer that says "Connection: close" ends the connection; nothing else may.
func (k *keepAlive) ask(method, path, body string) (int, error) {
	if k.conn == nil {
		conn, err := net.Dial("tcp", k.address)
		if err != nil {
			return 0, err
		}
		k.conn, k.r = conn, bufio.NewReader(conn)
	}
	k.conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, port, _ := net.SplitHostPort(k.address)
	fmt.Fprintf(k.conn, "%s %s HTTP/1.1\r\nHost: localhost:%s\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n%sContent-Length: %d\r\n\r\n%s",
		method, path, port, k.cookie, len(body), body)
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

// openSocket opens a WebSocket and says something that comes back.
func openSocket(t *testing.T, at, path, host string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host)
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %v %v", res, err)
	}
	conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
	heard := make([]byte, 4)
	if _, err := io.ReadFull(r, heard); err != nil || !strings.HasSuffix(string(heard), "hi") {
		t.Fatalf("the WebSocket says %q, %v", heard, err)
	}
	return conn, r
}
