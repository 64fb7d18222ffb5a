package proxy

import (
	"context"
	"crypto/tls"
	"log/slog"
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
		name = u.Hostname()
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
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
	}
}

// passing is what is known about a request on its way to the origin and back.
type passing struct {
	path      Path
	doors     Doors
	protected bool
	session   *session.Session
	body      *clientBody
	start     time.Time
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
			w.Header().Set("Connection", "close")
			g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	if len(r.TransferEncoding) > 0 {
		// net/http lets chunked win over a Content-Length and keeps the connection; RFC 9112 6.1 wants it closed, for another
		// server in front may have counted otherwise (CL.TE smuggling, SM-01).
		w.Header().Set("Connection", "close")
	}
	p.body, p.start = &clientBody{ReadCloser: r.Body}, time.Now()
	ctx := context.WithValue(r.Context(), passingKey{}, &p)
	if p.protected && (isUpgrade(r) || isEventStream(r)) {
		if isUpgrade(r) && !sameOrigin(r) {
			inbound.Of(r).Outcome.Decision, inbound.Of(r).Outcome.Reason = string(Forbid), "websocket_origin"
			g.deps.Pages.Write(w, r, page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Cause: "origin"})
			return
		}
		var stop context.CancelFunc
		ctx, stop = g.untilEnded(ctx, r, p)
		defer stop()
	}
	out := r.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = p.body
	}
	if isUpgrade(r) {
		g.deps.Metrics.websockets.Inc()
		defer g.deps.Metrics.websockets.Dec()
	}
	g.proxy.ServeHTTP(finalOnly{w}, out)
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

func (g *Gate) modify(res *http.Response) error {
	p := passingOf(res.Request.Context())
	facts := inbound.Of(res.Request)
	facts.Outcome.Upstream = time.Since(p.start)
	g.deps.Metrics.answered(res, facts.Outcome.Upstream)
	g.incoming(res.Header, facts.Site, *p)
	return nil
}

// finalOnly drops 1xx answers: they would carry the origin's headers past everything that modify does (HS-13).
type finalOnly struct{ http.ResponseWriter }

func (w finalOnly) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Unwrap serves http.ResponseController.
func (w finalOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return *v
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

func isEventStream(r *http.Request) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/event-stream")
}
