package origin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// onlyFirst accepts the first connection; others hang in their handshake.
type onlyFirst struct {
	net.Listener
	n atomic.Int32
}

func (o *onlyFirst) Accept() (net.Conn, error) {
	for {
		conn, err := o.Listener.Accept()
		if err != nil || o.n.Add(1) == 1 {
			return conn, err
		}
		defer conn.Close()
	}
}

func TestDialingRequestUsesFreedConnection(t *testing.T) {
	t.Parallel()
	started, free := make(chan struct{}), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			close(started)
			<-free
		}
		io.WriteString(w, "ok")
	}))
	server.Listener = &onlyFirst{Listener: server.Listener}
	server.StartTLS()
	tr := reach(t, server.URL, named).trust(server)
	t.Cleanup(func() { tr.CloseIdleConnections(); server.Close() })
	var all sync.WaitGroup
	all.Go(func() { mustAsk(t, tr, "/first", "ok") })
	<-started
	all.Go(func() { mustAsk(t, tr, "/second", "ok") })
	tr.untilSomebodyWaits(1)
	close(free)
	all.Wait()
}

func (t *Transport) untilSomebodyWaits(n int) {
	for waits := false; !waits; {
		t.pool.mu.Lock()
		waits = len(t.pool.waiting) >= n
		t.pool.mu.Unlock()
	}
}

func TestCanceledRequestLeavesItsDial(t *testing.T) {
	t.Parallel()
	dialled, left := make(chan struct{}), make(chan struct{})
	tr := secureScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		if n == 1 {
			close(dialled)
			<-left
		} else {
			<-t.Context().Done()
		}
		readRequest(in)
		send(conn, okay+"ok")
		readRequest(in)
	})
	ctx, leave := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if got, err := tr.ask(ctx, "/impatient"); !errors.Is(err, context.Canceled) {
			t.Errorf("%q %v", got, err)
		}
		close(left)
	})
	<-dialled
	all.Go(func() { mustAsk(t, tr, "/patient", "ok") })
	tr.untilSomebodyWaits(2)
	leave()
	all.Wait()
}

// TestClosedUnusedConnectionIsRetried checks a connection that was dialed too late for its request: it has been idle
// like any other, although it was never used.
func TestClosedUnusedConnectionIsRetried(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		if readRequest(in); n > 1 { // the first is closed when its request arrives
			send(conn, okay+"ok")
		}
	})
	c, err := tr.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr.pool.give(c)
	mustAsk(t, tr, "/", "ok")
}

func TestCanceledRequestStopsDial(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		io.CopyN(io.Discard, in, 1) // the start of a handshake without an answer
		close(begun)
		io.Copy(io.Discard, in)
		close(ended)
	}, func(c *Config) { c.URL.Scheme = "https" })
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-begun; leave() }()
	if got, err := tr.ask(ctx, "/"); !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", got, err)
	}
	<-ended
}

func TestCloseIdleConnectionsClosesAfterUse(t *testing.T) {
	t.Parallel()
	asked, goOn, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		close(asked)
		<-goOn
		send(conn, okay+"ok")
		readRequest(in)
		close(closed)
	})
	var all sync.WaitGroup
	all.Go(func() { mustAsk(t, tr, "/", "ok") })
	<-asked
	tr.CloseIdleConnections()
	close(goOn)
	all.Wait()
	<-closed
}

// TestHungConnectionDropsOlderOnes checks that a network path that fails silently delays one visitor, not one for each
// idle connection.
func TestHungConnectionDropsOlderOnes(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool
	var gate sync.WaitGroup
	gate.Add(5)
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for first := true; readRequest(in) != nil; first = false {
			if n <= 5 {
				if first {
					gate.Done()
					gate.Wait() // five at once
				}
				if dead.Load() {
					continue
				}
			}
			send(conn, okay+"ok")
		}
	}, func(c *Config) { c.ResponseHeader = 50 * time.Millisecond })
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { mustAsk(t, tr, "/", "ok") })
	}
	all.Wait()
	dead.Store(true)
	if got, err := tr.ask(t.Context(), "/"); !isTimeout(err) {
		t.Fatalf("%q %v", got, err)
	}
	mustAsk(t, tr, "/", "ok")
	mustAsk(t, tr, "/", "ok")
}

// held buffers writes while on is set.
type held struct {
	net.Conn
	on  bool
	buf bytes.Buffer
}

func (h *held) Write(p []byte) (int, error) {
	if h.on {
		return h.buf.Write(p)
	}
	return h.Conn.Write(p)
}

// TestPartialRecordInSameSegment checks the start of a TLS record that comes with a response and is buffered by
// crypto/tls: with its rest it would be the next visitor's response (response queue poisoning, CWE-444).
func TestPartialRecordInSameSegment(t *testing.T) {
	t.Parallel()
	ca := httptest.NewUnstartedServer(nil)
	ca.StartTLS()
	t.Cleanup(ca.Close)
	tr := serveScript(t, func(raw net.Conn, _ *bufio.Reader, n int) {
		h := &held{Conn: raw}
		conn := tls.Server(h, &tls.Config{Certificates: ca.TLS.Certificates, NextProtos: []string{"http/1.1"}})
		in := bufio.NewReader(conn)
		readRequest(in)
		h.on = true
		send(conn, okay+"ok")
		whole := h.buf.Len()
		send(conn, okay+"EV")
		raw.Write(h.buf.Bytes()[:whole+7])
		readRequest(in)
		raw.Write(h.buf.Bytes()[whole+7:])
		readRequest(in)
	}, named, func(c *Config) { c.URL.Scheme = "https" })
	tr.trust(ca)
	mustAsk(t, tr, "/", "ok")
	mustAsk(t, tr, "/", "ok")
}

// secureScript is perform over TLS.
func secureScript(t *testing.T, run script) *Transport {
	t.Helper()
	ca := httptest.NewUnstartedServer(nil)
	ca.StartTLS()
	t.Cleanup(ca.Close)
	return serveScript(t, func(raw net.Conn, _ *bufio.Reader, n int) {
		conn := tls.Server(raw, &tls.Config{Certificates: ca.TLS.Certificates, NextProtos: []string{"http/1.1"}})
		run(conn, bufio.NewReader(conn), n)
	}, named, func(c *Config) { c.URL.Scheme = "https" }).trust(ca)
}

func TestCloseSkipsCloseNotify(t *testing.T) {
	t.Parallel()
	last := make(chan int, 1)
	tr := secureScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		send(conn, okay+"o")
		sent, _ := conn.(*tls.Conn).NetConn().Read(make([]byte, 1))
		last <- sent
	})
	res, err := tr.RoundTrip(tr.request(t.Context(), "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if <-last > 0 {
		t.Error("close_notify was sent, which may block if the origin does not read")
	}
}

func TestFreedConnectionMustBeReusable(t *testing.T) {
	t.Parallel()
	started, free, freed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tr := secureScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		if n > 1 { // no handshake before that
			<-freed
		}
		readRequest(in)
		if n == 1 {
			close(started)
			<-free
			send(conn, okay+"ok"+okay+"EV")
			readRequest(in)
		}
		send(conn, okay+"ok")
		readRequest(in)
	})
	var all sync.WaitGroup
	all.Go(func() { mustAsk(t, tr, "/first", "ok"); close(freed) })
	<-started
	all.Go(func() { mustAsk(t, tr, "/second", "ok") })
	tr.untilSomebodyWaits(1)
	close(free)
	all.Wait()
}
