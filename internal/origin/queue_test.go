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

// onlyFirst serves the first connection; others hang in their handshake.
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

func TestARequestThatBeganToDialTakesWhatBecomesFree(t *testing.T) {
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
	tr.untilSomebodyWaits()
	close(free)
	all.Wait()
}

func (t *Transport) untilSomebodyWaits() {
	for waits := false; !waits; {
		t.pool.mu.Lock()
		waits = len(t.pool.waiting) > 0
		t.pool.mu.Unlock()
	}
}

func TestANewConnectionIsNotLostWithItsVisitor(t *testing.T) {
	t.Parallel()
	tr := perform(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for hear(in) != nil {
			say(conn, okay+"ok")
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := tr.ask(ctx, "/"); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for tr.kept() == 0 { // its dial goes on
	}
	if len(tr.pool.waiting) > 0 {
		t.Error("somebody waits for ever")
	}
	mustAsk(t, tr, "/", "ok")
}

func TestAfterAReloadNoConnectionIsKept(t *testing.T) {
	t.Parallel()
	asked, goOn, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tr := perform(t, func(conn net.Conn, in *bufio.Reader, n int) {
		hear(in)
		close(asked)
		<-goOn
		say(conn, okay+"ok")
		hear(in)
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

// A way that is gone without a word costs one visitor a wait, not one for each connection that was kept.
func TestAHungConnectionTakesThoseOfItsTimeAlong(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool
	var gate sync.WaitGroup
	gate.Add(5)
	tr := perform(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for first := true; hear(in) != nil; first = false {
			if n <= 5 {
				if first {
					gate.Done()
					gate.Wait() // five at once
				}
				if dead.Load() {
					continue
				}
			}
			say(conn, okay+"ok")
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

// held keeps what is written until it is let go.
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

// The beginning of a TLS record that comes with an answer is kept by crypto/tls; with its rest it would be the next visitor's answer.
func TestPartOfARecordInTheAnswersOwnSegmentIsNotNothing(t *testing.T) {
	t.Parallel()
	ca := httptest.NewUnstartedServer(nil)
	ca.StartTLS()
	t.Cleanup(ca.Close)
	tr := perform(t, func(raw net.Conn, _ *bufio.Reader, n int) {
		h := &held{Conn: raw}
		conn := tls.Server(h, &tls.Config{Certificates: ca.TLS.Certificates, NextProtos: []string{"http/1.1"}})
		in := bufio.NewReader(conn)
		hear(in)
		h.on = true
		say(conn, okay+"ok")
		whole := h.buf.Len()
		say(conn, okay+"EV")
		raw.Write(h.buf.Bytes()[:whole+7])
		hear(in)
		raw.Write(h.buf.Bytes()[whole+7:])
		hear(in)
	}, named, func(c *Config) { c.URL.Scheme = "https" })
	tr.trust(ca)
	mustAsk(t, tr, "/", "ok")
	mustAsk(t, tr, "/", "ok")
}

// secureScript plays over TLS.
func secureScript(t *testing.T, play script) *Transport {
	t.Helper()
	ca := httptest.NewUnstartedServer(nil)
	ca.StartTLS()
	t.Cleanup(ca.Close)
	return perform(t, func(raw net.Conn, _ *bufio.Reader, n int) {
		conn := tls.Server(raw, &tls.Config{Certificates: ca.TLS.Certificates, NextProtos: []string{"http/1.1"}})
		play(conn, bufio.NewReader(conn), n)
	}, named, func(c *Config) { c.URL.Scheme = "https" }).trust(ca)
}

func TestLeavingWaitsForNoOriginThatReadsNothing(t *testing.T) {
	t.Parallel()
	last := make(chan int, 1)
	tr := secureScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		hear(in)
		say(conn, okay+"o")
		said, _ := conn.(*tls.Conn).NetConn().Read(make([]byte, 1))
		last <- said
	})
	res, err := tr.RoundTrip(tr.request(t.Context(), "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if <-last > 0 {
		t.Error("TLS said goodbye, which may wait for an origin that reads nothing")
	}
}

func TestWhatBecomesFreeMustBeQuiet(t *testing.T) {
	t.Parallel()
	started, free, freed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tr := secureScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		if n > 1 { // no handshake before that
			<-freed
		}
		hear(in)
		if n == 1 {
			close(started)
			<-free
			say(conn, okay+"ok"+okay+"EV")
			hear(in)
		}
		say(conn, okay+"ok")
		hear(in)
	})
	var all sync.WaitGroup
	all.Go(func() { mustAsk(t, tr, "/first", "ok"); close(freed) })
	<-started
	all.Go(func() { mustAsk(t, tr, "/second", "ok") })
	tr.untilSomebodyWaits()
	close(free)
	all.Wait()
}
