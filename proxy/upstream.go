package proxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

const storeRetry = 5 * time.Second

// NewTransport makes the connections to the origin: kept and shared by all requests, since re-dialling costs more than everything
// else a gateway does. Nothing is compressed or decompressed on the way.
func NewTransport(cfg Config) *http.Transport {
	name := cfg.OriginHost
	if u, err := url.Parse(cfg.Origin); err == nil && name == "" {
		name = u.Host
	}
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: cfg.Timeouts.Dial.D(), KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{ServerName: hostOnly(name), MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    cfg.Timeouts.TLS.D(),
		ResponseHeaderTimeout:  cfg.Timeouts.ResponseHeader.D(),
		IdleConnTimeout:        cfg.Timeouts.Idle.D(),
		MaxIdleConns:           2048,
		MaxIdleConnsPerHost:    1024,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}, // a dead connection would hold everybody
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
	}
}

// passing is what is known about a request on its way to the origin and back.
type passing struct {
	in        *http.Request
	path      Path
	doors     Doors
	protected bool
	session   *session.Session
	body      *clientBody
	start     time.Time
	cut       context.CancelFunc // breaks the exchange off, an answer under way included
	websocket bool               // it became one
}

type passingKey struct{}

func passingOf(ctx context.Context) *passing {
	p, _ := ctx.Value(passingKey{}).(*passing)
	return p
}

// newProxy is the way to the origin and back. Rewrite, not Director: a client could remove what Director sets (HS-07).
func (g *Gate) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		ModifyResponse: g.modify,
		ErrorHandler:   g.fail,
		Transport:      g.deps.Transport,
		FlushInterval:  -1, // events and streams reach the visitor as they come
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(g.deps.Log.Handler(), slog.LevelDebug),
	}
}

// pass forwards a request that was decided upon.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, p passing) {
	if limit := int64(g.cfg.MaxRequestBody); limit > 0 {
		if r.ContentLength > limit {
			inbound.Of(r).Outcome.Decision, inbound.Of(r).Outcome.Reason = string(Refuse), "body_too_large"
			LeaveUnread(w, r)
			g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	if isWebSocket(r) && p.protected && !sameOrigin(r) {
		inbound.Of(r).Outcome.Decision, inbound.Of(r).Outcome.Reason = string(Forbid), "websocket_origin"
		g.deps.Pages.Write(w, r, page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Cause: "origin"})
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	p.in, p.start, p.body, p.cut = r, time.Now(), &clientBody{ReadCloser: r.Body}, cancel
	out := r.WithContext(context.WithValue(ctx, passingKey{}, &p))
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = p.body
	}
	defer func() {
		if p.websocket {
			g.deps.Metrics.websockets.Dec()
		}
	}()
	g.proxy.ServeHTTP(&finalOnly{ResponseWriter: w}, out)
}

// rewrite makes the origin's request: exactly the path that was judged, exactly the query that was sent.
func (g *Gate) rewrite(pr *httputil.ProxyRequest) {
	p := passingOf(pr.In.Context())
	out := pr.Out
	out.URL = &url.URL{
		Scheme: g.origin.Scheme, Host: g.origin.Host,
		Opaque:   p.path.Escaped(), // sent as it is: Path and RawPath would be encoded anew (PB-15)
		RawQuery: pr.In.URL.RawQuery, ForceQuery: pr.In.URL.ForceQuery,
	}
	out.Host = g.host
	out.Trailer = nil // trailers named like trusted headers (HS-08)
	if !isWebSocket(pr.In) {
		out.Header.Del("Upgrade")
		out.Header.Del("Connection")
	}
	g.outgoing(out.Header, pr.In, *p)
}

// modify looks at the origin's answer before the visitor gets any of it.
func (g *Gate) modify(res *http.Response) error {
	ctx := res.Request.Context()
	p := passingOf(ctx)
	facts := inbound.Of(p.in)
	facts.Outcome.Upstream = time.Since(p.start)
	g.deps.Metrics.answered(res, facts.Outcome.Upstream)
	if p.websocket = res.StatusCode == http.StatusSwitchingProtocols; p.websocket {
		g.deps.Metrics.websockets.Inc()
	}
	if p.protected && (p.websocket || isEventStream(res.Header)) {
		go g.watch(ctx, *p)
	}
	g.incoming(res.Header, facts.Site, *p)
	return nil
}

func isEventStream(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream")
}

// finalOnly lets only the final answer through. 1xx answers would carry the origin's headers past everything that modify does
// (HS-13), and trailers would too. httputil clears the headers it is given after each 1xx, so it is given its own.
type finalOnly struct {
	http.ResponseWriter
	header http.Header
	wrote  bool
}

func (w *finalOnly) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *finalOnly) WriteHeader(status int) {
	if w.wrote || (status < 200 && status != http.StatusSwitchingProtocols) {
		return
	}
	w.wrote = true
	delete(w.header, "Trailer")
	maps.Copy(w.ResponseWriter.Header(), w.header)
	w.ResponseWriter.WriteHeader(status)
}

func (w *finalOnly) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (w *finalOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
