package proxy

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/origin"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// storeRetry is the Retry-After while sessions cannot be loaded.
const storeRetry = 5 * time.Second

// NewTransport returns the transport to the origin.
func NewTransport(cfg Config) (*origin.Transport, error) {
	at, err := url.Parse(cfg.Origin)
	if err != nil {
		return nil, fmt.Errorf("proxy.origin: %w", err)
	}
	return origin.New(origin.Config{
		URL: at, ServerName: inbound.HostOnly(cmp.Or(cfg.OriginHost, at.Host)),
		Dial: cfg.Timeouts.Dial.D(), TLS: cfg.Timeouts.TLS.D(),
		ResponseHeader: cfg.Timeouts.ResponseHeader.D(), Idle: cfg.Timeouts.Idle.D(),
	}), nil
}

// exchange is a forwarded request with its response. It is a context, so that the hooks of httputil find it.
type exchange struct {
	context.Context
	in        *http.Request
	out       *responseWriter
	path      urlpath.Path
	params    urlpath.PreviewParams
	protected bool
	session   *session.Session
	body      clientBody
	reply     originBody
	start     time.Time
	work      *background.Work               // watches an exchange that may last; nil if it does not
	kind      atomic.Int32                   // of the response
	ended     atomic.Pointer[rules.Decision] // why a watch ended it; nil if none did, or the process shuts down
	socket    *socket                        // the visitor's end of a requested WebSocket; nil otherwise
}

// The kinds of responses.
const (
	plainResponse int32 = iota
	eventStream
	webSocket
)

type exchangeKey struct{}

// Value returns the exchange for its own key, and the request's values for others.
func (p *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return p
	}
	return p.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	p, _ := ctx.Value(exchangeKey{}).(*exchange)
	return p
}

// flushAfter limits how long a piece of a response waits for more of it. Events are flushed at once. With every page
// that would cost a second write and a goroutine, and if the origin fails at once there could be no error page.
const flushAfter = 20 * time.Millisecond

// newProxy uses Rewrite, not Director: a client could remove headers that Director sets by naming them in Connection.
func (g *Gate) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		ModifyResponse: g.modify,
		ErrorHandler:   g.fail,
		Transport:      g.deps.Transport,
		FlushInterval:  flushAfter,
		BufferPool:     &g.buffers,
		ErrorLog:       slog.NewLogLogger(g.deps.Log.Handler(), slog.LevelDebug),
	}
}

// forward forwards an admitted request and copies the response.
func (g *Gate) forward(w http.ResponseWriter, r *http.Request, p *exchange) {
	if limit := int64(g.cfg.MaxRequestBody); limit > 0 {
		if r.ContentLength > limit {
			g.tooLarge(w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	p.Context, p.in, p.start, p.body.ReadCloser = r.Context(), r, time.Now(), r.Body
	p.out = &responseWriter{ResponseWriter: w, pool: &g.buffers}
	if isWebSocket(r) {
		if p.protected && !sameOrigin(r) {
			failed(r, rules.Forbid, "websocket_origin")
			g.deps.Pages.Write(w, r, page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Cause: "origin"})
			return
		}
		p.socket = newSocket(inbound.Of(r))
		p.out.socket = p.socket
	}
	defer func() {
		if p.kind.Load() == webSocket {
			g.deps.Metrics.websockets.Dec()
		}
		if p.work != nil {
			p.work.End()
		}
	}()
	if p.protected || p.socket != nil {
		p.work = background.New(r.Context())
		p.Context = p.work.Context()
	}
	if p.session != nil {
		p.work.After(watchAfter, func() { g.watch(p, nil) })
	}
	out := r.WithContext(p)
	if p.socket == nil {
		out = withoutUpgrade(out)
	}
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = &p.body
	}
	g.roundTrip(p, out)
}

// roundTrip sends the request, and the response to the visitor. If the origin fails before anything was sent, the
// visitor gets an error page; otherwise httputil aborts the response, so that it does not look complete.
func (g *Gate) roundTrip(p *exchange, out *http.Request) {
	defer func() {
		v := recover()
		if v == http.ErrAbortHandler && p.reply.failure != nil {
			g.fail(p.out, out, p.reply.failure)
			return
		}
		if v != nil {
			panic(v)
		}
	}()
	g.proxy.ServeHTTP(p.out, out)
	_ = p.out.send() // it fails if the visitor is gone
}

// rewrite builds the request for the origin, with exactly the path that was matched and the query that was sent.
func (g *Gate) rewrite(pr *httputil.ProxyRequest) {
	p := exchangeOf(pr.In.Context())
	out := pr.Out
	out.URL = &url.URL{
		Scheme: g.origin.Scheme, Host: g.origin.Host,
		Opaque:   p.path.Escaped(), // sent as it is; Path and RawPath would be encoded again
		RawQuery: pr.In.URL.RawQuery, ForceQuery: pr.In.URL.ForceQuery,
	}
	out.Host = g.host
	out.Trailer = nil // they may have names of reserved headers
	g.rewriteRequest(out.Header, pr.In, p)
}

// modify inspects and rewrites the origin's response before any of it is sent.
func (g *Gate) modify(res *http.Response) error {
	p := exchangeOf(res.Request.Context())
	facts := inbound.Of(p.in)
	facts.Outcome.Upstream = time.Since(p.start)
	g.deps.Metrics.answered(res, facts.Outcome.Upstream, facts.TraceID)
	if err := checkUnsolicited(res, p.socket != nil); err != nil {
		return err
	}
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		p.kind.Store(webSocket)
		g.deps.Metrics.websockets.Inc()
	default:
		p.reply.ReadCloser = res.Body
		res.Body = &p.reply
		if isEventStream(res.Header) {
			p.kind.Store(eventStream)
		}
	}
	if p.kind.Load() != plainResponse {
		if p.work == nil {
			p.work = background.New(p.Context)
		}
		p.work.Go(func() { g.watch(p, g.deps.Leaving) })
	}
	g.rewriteResponse(res.Header, facts.Site, p)
	p.out.take(res, p.kind.Load() == eventStream)
	return nil
}

func isEventStream(h http.Header) bool {
	return hasPrefixFold(h.Get("Content-Type"), "text/event-stream")
}

// buffers is a pool of arrays: putting a slice into it would allocate each time.
type buffers struct{ pool sync.Pool }

type buffer [32 << 10]byte

func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*buffer); ok {
		return kept[:]
	}
	return new(buffer)[:]
}

func (b *buffers) Put(used []byte) { b.pool.Put((*buffer)(used)) }
