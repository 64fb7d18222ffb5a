package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// Config is the address of an origin and the time limits of its connections.
type Config struct {
	URL        *url.URL // scheme and host; the rest is ignored
	ServerName string   // the origin's certificate must be valid for it

	Dial time.Duration
	TLS  time.Duration // the handshake
	// ResponseHeader limits the time until the response's head is read, or an eighth more, and the time in which the
	// body of a request makes no progress. 0 means no limit.
	ResponseHeader time.Duration
	Idle           time.Duration // how long an idle connection is kept; 0 = no limit
}

// Limits of what an origin can make hubgate hold.
const (
	maxIdle = 1024      // idle connections
	maxHead = 256 << 10 // bytes of a response's head, including 1xx responses before it
)

// Transport holds a process's connections to one origin. All requests share them, because a new connection costs more
// than everything else that a gateway does. It neither compresses nor decompresses.
type Transport struct {
	cfg    Config
	addr   string
	dialer net.Dialer
	tls    *tls.Config // nil for http
	others *http.Transport
	pool   pool
	// indirect sends all requests through net/http: the origin refuses HTTP/1.1, or its name is not ASCII.
	indirect atomic.Bool
}

// New returns a Transport. It opens no connection before the first request.
func New(cfg Config) *Transport {
	verify := &tls.Config{ServerName: cfg.ServerName, MinVersion: tls.VersionTLS12}
	t := &Transport{
		cfg: cfg, addr: cfg.URL.Host, pool: pool{idle: cfg.Idle},
		dialer: net.Dialer{Timeout: cfg.Dial, KeepAlive: 30 * time.Second},
	}
	t.others = &http.Transport{
		// No Proxy: HTTP_PROXY in the environment is ignored, because a request header can set it in CGI (httpoxy, CWE-807).
		DialContext:            t.dialProgress,
		TLSClientConfig:        verify,
		TLSHandshakeTimeout:    cfg.TLS,
		ResponseHeaderTimeout:  cfg.ResponseHeader,
		IdleConnTimeout:        cfg.Idle,
		MaxIdleConns:           2 * maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		MaxResponseHeaderBytes: maxHead,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		// Pings find a dead connection, which all requests would wait for.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		ReadBufferSize:  16 << 10,
		WriteBufferSize: 16 << 10,
	}
	port := "80"
	if cfg.URL.Scheme == "https" {
		t.tls, port = verify.Clone(), "443"
		t.tls.NextProtos = []string{"http/1.1"}
	}
	if cfg.URL.Port() == "" {
		t.addr = net.JoinHostPort(cfg.URL.Hostname(), port)
	}
	t.indirect.Store(strings.ContainsFunc(t.addr, func(c rune) bool { return c >= 0x80 }))
	return t
}

// heads holds buffers for the heads of requests.
var heads = sync.Pool{New: func() any { return new([]byte) }}

// RoundTrip sends a request to the origin.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.direct(req) {
		return t.send(req)
	}
	kept := heads.Get().(*[]byte)
	defer heads.Put(kept)
	head, err := appendHead((*kept)[:0], req)
	if err != nil {
		return nil, err
	}
	*kept = head
	began := time.Now()
	c, err := t.connect(req.Context())
	if refusesHTTP1(err) {
		t.indirect.Store(true)
		return t.send(req)
	}
	if err != nil {
		return nil, causeOf(req.Context(), err)
	}
	reused := c.used
	res, err := c.exchange(req, head)
	if err == nil {
		return res, nil
	}
	timedOut := errors.Is(err, os.ErrDeadlineExceeded)
	if timedOut && reused && !c.answered { // the network path may be gone, and with it connections as old as this one
		t.pool.drop(began)
	}
	if timedOut || !reused || c.answered || req.Context().Err() != nil {
		return nil, causeOf(req.Context(), err)
	}
	// The origin closed the idle connection. A retry is safe: there was no response, and the methods are idempotent
	// (RFC 9112, section 9.3.1).
	if c, err = t.dial(req.Context()); err == nil {
		res, err = c.exchange(req, head)
	}
	if err != nil {
		return nil, causeOf(req.Context(), err)
	}
	return res, nil
}

// direct reports whether a request is idempotent and has nothing to send after its head.
func (t *Transport) direct(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return false
	}
	return (req.Body == nil || req.Body == http.NoBody) && req.Header["Upgrade"] == nil &&
		req.Header["Expect"] == nil && !req.Close &&
		req.URL.Scheme == t.cfg.URL.Scheme && req.URL.Host == t.cfg.URL.Host && !t.indirect.Load()
}

// CloseIdleConnections closes idle connections at once, and the others at the end of their exchange.
func (t *Transport) CloseIdleConnections() {
	t.pool.close()
	t.others.CloseIdleConnections()
}

// connect returns an idle connection, or else whichever comes first: a new one, or one that another request releases. A
// new one that comes too late is kept for others. The dial of a canceled request continues only while other requests
// wait; otherwise visitors who cancel their requests could start any number of dials (CWE-400).
func (t *Transport) connect(ctx context.Context) (*conn, error) {
	c, waiter := t.pool.take()
	if c != nil {
		return c, nil
	}
	failed := make(chan error, 1)
	dialCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer stop()
		var c *conn
		var err error
		if bug := background.Catch(func() { c, err = t.dial(dialCtx) }); bug != nil {
			err = bug
		}
		if err != nil {
			failed <- err
			return
		}
		t.pool.give(c)
	}()
	var err error
	select {
	case c = <-waiter:
	case err = <-failed:
		c, _ = t.pool.leave(waiter)
	case <-ctx.Done():
		c, others := t.pool.leave(waiter)
		if c != nil {
			t.pool.give(c)
		} else if !others {
			stop()
		}
		return nil, ctx.Err()
	}
	switch {
	case c == nil:
		return nil, err
	case c.used && !c.reusable():
		c.close()
		return t.dial(ctx)
	}
	return c, nil
}

func (t *Transport) dial(ctx context.Context) (*conn, error) {
	raw, err := t.dialer.DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	c := newConn(&t.pool, raw, t.cfg.ResponseHeader)
	if t.tls == nil {
		return c, nil
	}
	if t.cfg.TLS > 0 {
		limited, cancel := context.WithTimeout(ctx, t.cfg.TLS)
		defer cancel()
		ctx = limited
	}
	c.line.records = &records{}
	secure := tls.Client(c.line, t.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.close()
		return nil, err
	}
	c.conn = secure
	return c, nil
}

// refusesHTTP1 reports whether an error is the alert of an origin that supports only HTTP/2 (RFC 7301, section 3.2).
// crypto/tls identifies it by its text only.
func refusesHTTP1(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" && op.Err.Error() == "tls: no application protocol"
}

// causeOf returns the context's error if it has ended, because err is then only its consequence.
func causeOf(ctx context.Context, err error) error {
	if own := ctx.Err(); own != nil {
		return own
	}
	return err
}
