package proxy

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/origin"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

const storeRetry = 5 * time.Second

// NewTransport makes the connections to the origin.
func NewTransport(cfg Config) (*origin.Transport, error) {
	at, err := url.Parse(cfg.Origin)
	if err != nil {
		return nil, fmt.Errorf("proxy.origin: %w", err)
	}
	return origin.New(origin.Config{
		URL: at, ServerName: hostOnly(cmp.Or(cfg.OriginHost, at.Host)),
		Dial: cfg.Timeouts.Dial.D(), TLS: cfg.Timeouts.TLS.D(), ResponseHeader: cfg.Timeouts.ResponseHeader.D(), Idle: cfg.Timeouts.Idle.D(),
	}), nil
}

// passing is what is known about a request on its way to the origin and back. It is the context of the way, so that the hooks of
// httputil find it.
type passing struct {
	context.Context
	in        *http.Request
	out       *finalOnly
	path      Path
	doors     Doors
	protected bool
	session   *session.Session
	body      clientBody
	start     time.Time
	cut       func()  // breaks the exchange off, an answer under way included; for what stays open
	websocket bool    // it became one
	socket    *socket // then: the visitor's end of it
	events    *events // the answer's body, when it is an event stream
}

type passingKey struct{}

// Value returns what is known for its own key, and the request's values for others.
func (p *passing) Value(key any) any {
	if key == (passingKey{}) {
		return p
	}
	return p.Context.Value(key)
}

func passingOf(ctx context.Context) *passing {
	p, _ := ctx.Value(passingKey{}).(*passing)
	return p
}

// flushAfter bounds how long the beginning of an answer of known length waits for more of it. Events and answers of unknown length,
// httputil passes on as they come; doing the same with every page would cost it a second write and a goroutine.
const flushAfter = 2 * time.Millisecond

// newProxy is the way to the origin and back. Rewrite, not Director: a client could remove what Director sets (HS-07).
func (g *Gate) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        g.rewrite,
		ModifyResponse: g.modify,
		ErrorHandler:   g.fail,
		Transport:      g.deps.Transport,
		FlushInterval:  flushAfter,
		BufferPool:     &buffers{},
		ErrorLog:       slog.NewLogLogger(g.deps.Log.Handler(), slog.LevelDebug),
	}
}

// pass forwards a request that was decided upon.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, p *passing) {
	if limit := int64(g.cfg.MaxRequestBody); limit > 0 {
		if r.ContentLength > limit {
			inbound.Of(r).Outcome.Decision, inbound.Of(r).Outcome.Reason = string(Refuse), "body_too_large"
			LeaveUnread(w, r)
			g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	p.Context, p.in, p.out, p.start, p.body.ReadCloser = r.Context(), r, &finalOnly{ResponseWriter: w}, time.Now(), r.Body
	if isWebSocket(r) {
		if p.protected && !sameOrigin(r) {
			inbound.Of(r).Outcome.Decision, inbound.Of(r).Outcome.Reason = string(Forbid), "websocket_origin"
			g.deps.Pages.Write(w, r, page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Cause: "origin"})
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		p.Context, p.cut, p.socket = ctx, cancel, &socket{}
		p.out.socket = p.socket
	}
	out := r.WithContext(p)
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = &p.body
	}
	defer func() {
		if p.websocket {
			g.deps.Metrics.websockets.Dec()
		}
	}()
	g.proxy.ServeHTTP(p.out, out)
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
	if p.cut == nil { // no WebSocket
		delete(out.Header, "Upgrade")
		delete(out.Header, "Connection")
	}
	g.outgoing(out.Header, pr.In, p)
}

// modify looks at the origin's answer before the visitor gets any of it.
func (g *Gate) modify(res *http.Response) error {
	ctx := res.Request.Context()
	p := passingOf(ctx)
	facts := inbound.Of(p.in)
	facts.Outcome.Upstream = time.Since(p.start)
	g.deps.Metrics.answered(res, facts.Outcome.Upstream, facts.TraceID)
	if p.websocket = res.StatusCode == http.StatusSwitchingProtocols; p.websocket {
		g.deps.Metrics.websockets.Inc()
	}
	if !p.websocket && isEventStream(res.Header) {
		p.events = &events{ReadCloser: res.Body}
		res.Body, p.cut = p.events, func() { p.events.Close() }
	}
	if p.websocket || p.events != nil {
		go g.watch(ctx, p)
	}
	g.incoming(res.Header, facts.Site, p)
	p.out.take(res, p.events != nil)
	return nil
}

func isEventStream(h http.Header) bool {
	return hasPrefixFold(h.Get("Content-Type"), "text/event-stream")
}

// finalOnly lets only the final answer through. 1xx answers would carry the origin's headers past everything that modify does
// (HS-13), and trailers would too: before and after the final answer's header, httputil writes into one that nobody sees.
type finalOnly struct {
	http.ResponseWriter
	unseen http.Header
	final  bool    // the final answer's header is being made
	wrote  bool    // and was sent
	socket *socket // what the connection becomes when it is hijacked
}

// take begins the final answer: its header is handed over as it is, without httputil's copy of each value. What httputil still looks at
// stays with it: that an answer is a stream, and everything of one that changes protocols.
func (w *finalOnly) take(res *http.Response, stream bool) {
	w.final = true
	own := w.Header()
	for name := range own {
		if _, both := res.Header[name]; both {
			delete(own, name)
		}
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	kind := res.Header["Content-Type"]
	maps.Copy(own, res.Header)
	if res.Header = nil; stream {
		res.Header = http.Header{"Content-Type": kind}
		delete(own, "Content-Type")
	}
}

// Header is the one to write into now.
func (w *finalOnly) Header() http.Header {
	if w.final && !w.wrote {
		return w.ResponseWriter.Header()
	}
	if w.unseen == nil {
		w.unseen = http.Header{}
	}
	return w.unseen
}

// WriteHeader sends the final answer's header.
func (w *finalOnly) WriteHeader(status int) {
	if w.wrote || (status < 200 && status != http.StatusSwitchingProtocols) {
		return
	}
	delete(w.Header(), "Trailer")
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *finalOnly) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Hijack hands over the connection of a WebSocket, which keeps count of the frames.
func (w *finalOnly) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return w.socket.over(conn), rw, nil
}

// Unwrap serves http.ResponseController.
func (w *finalOnly) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// buffers keeps arrays, not slices: a slice kept by reference would be an allocation each time.
type buffers struct{ pool sync.Pool }

type buffer [32 << 10]byte

func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*buffer); ok {
		return kept[:]
	}
	return new(buffer)[:]
}

func (b *buffers) Put(used []byte) { b.pool.Put((*buffer)(used)) }
