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

// Config says where the origin is and what is waited for.
type Config struct {
	URL        *url.URL // scheme and host; nothing else of it is read
	ServerName string   // whose certificate the origin must show

	Dial           time.Duration
	TLS            time.Duration // the handshake
	ResponseHeader time.Duration // until the answer's head is there, or an eighth longer, or a body makes progress; 0 = for ever
	Idle           time.Duration // how long a connection is kept that nobody uses; 0 = for ever
}

// Bounds of what an origin can make us hold.
const (
	maxIdle = 1024      // connections that nobody uses
	maxHead = 256 << 10 // bytes of an answer's head, with the 1xx answers before it
)

// Transport is a process's connections to one origin. They are shared by all requests, since re-dialling costs more than everything
// else a gateway does. Nothing is compressed or decompressed on the way.
type Transport struct {
	cfg    Config
	addr   string
	dialer net.Dialer
	tls    *tls.Config // nil for http
	others *http.Transport
	pool   pool
	// indirect sends everything the others' way: the origin has refused HTTP/1.1, or its name wants to be translated.
	indirect atomic.Bool
}

// New makes the connections of an origin; none is opened before the first request.
func New(cfg Config) *Transport {
	verify := &tls.Config{ServerName: cfg.ServerName, MinVersion: tls.VersionTLS12}
	t := &Transport{cfg: cfg, addr: cfg.URL.Host, dialer: net.Dialer{Timeout: cfg.Dial, KeepAlive: 30 * time.Second}, pool: pool{idle: cfg.Idle}}
	t.others = &http.Transport{
		// No Proxy: HTTP_PROXY from the environment is never obeyed (httpoxy, HS-11).
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
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}, // a dead connection would hold everybody
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
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

// heads keeps the buffers in which heads are written.
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
	again := c.used
	res, err := c.exchange(req, head)
	if err == nil {
		return res, nil
	}
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late && again && !c.answered { // the way there may be gone without a word: nobody else is to wait for the others of its time
		t.pool.drop(began)
	}
	if late || !again || c.answered || req.Context().Err() != nil {
		return nil, causeOf(req.Context(), err)
	}
	// The origin had closed it meanwhile. Asking again is safe: nothing was answered, and the methods are idempotent (RFC 9112 9.3.1).
	if c, err = t.dial(req.Context()); err == nil {
		res, err = c.exchange(req, head)
	}
	if err != nil {
		return nil, causeOf(req.Context(), err)
	}
	return res, nil
}

// direct tells a request that may be sent twice and has nothing to send after its head.
func (t *Transport) direct(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return false
	}
	return (req.Body == nil || req.Body == http.NoBody) && req.Header["Upgrade"] == nil && req.Header["Expect"] == nil && !req.Close &&
		req.URL.Scheme == t.cfg.URL.Scheme && req.URL.Host == t.cfg.URL.Host && !t.indirect.Load()
}

// CloseIdleConnections closes the connections that nobody uses, and those in use at the end of their exchange.
func (t *Transport) CloseIdleConnections() {
	t.pool.close()
	t.others.CloseIdleConnections()
}

// connect returns a connection that nobody uses, or whichever comes first: a new one, or one that another request has done with. A new
// one that comes too late is kept for others. What a request began to make that was called off goes on while others wait: else
// visitors who do not wait could leave any number of dials behind them (DS-01).
func (t *Transport) connect(ctx context.Context) (*conn, error) {
	c, place := t.pool.take()
	if c != nil {
		return c, nil
	}
	failed := make(chan error, 1)
	dialling, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer stop()
		var c *conn
		var err error
		if bug := background.Catch(func() { c, err = t.dial(dialling) }); bug != nil {
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
	case c = <-place:
	case err = <-failed:
		c, _ = t.pool.leave(place)
	case <-ctx.Done():
		c, others := t.pool.leave(place)
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
	case c.used && !c.quiet():
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

// refusesHTTP1 tells the alert of an origin that speaks HTTP/2 alone (RFC 7301 3.2). crypto/tls shows it by its text only.
func refusesHTTP1(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" && op.Err.Error() == "tls: no application protocol"
}

// causeOf names the caller's own end, if it has come, instead of what it did to the connection.
func causeOf(ctx context.Context, err error) error {
	if own := ctx.Err(); own != nil {
		return own
	}
	return err
}
