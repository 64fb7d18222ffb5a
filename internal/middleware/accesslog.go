package middleware

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// RequestLogs are the logs of finished requests. A nil Access log writes no line.
type RequestLogs struct {
	Access, Audit *slog.Logger
	Failures      *LoginFailures
}

// Observed writes one log line and updates the metrics for each request when its response is complete.
func Observed(logs RequestLogs, metrics *Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &Recorder{ResponseWriter: w, facts: inbound.Of(r), metrics: metrics, head: r.Method == http.MethodHead}
		rec.facts.Body = rec
		metrics.inFlight.Inc()
		defer func() {
			took := time.Since(start)
			facts := inbound.Of(r)
			if facts.Outcome.Decision == "" { // the client disconnected before any handler decided
				facts.Outcome.Set(RuleNone, "error", "aborted")
			}
			metrics.inFlight.Dec()
			metrics.observe(r.Method, rec.Code(), facts, took)
			if logs.Access != nil && logs.Access.Enabled(r.Context(), slog.LevelInfo) {
				// No source line, which costs as much as the rest to find, and a group without a name, which is
				// inlined.
				line := slog.NewRecord(start.Add(took), slog.LevelInfo, "request", 0)
				line.AddAttrs(slog.Attr{Value: slog.GroupValue(accessAttrs(r, rec, took)...)})
				_ = logs.Access.Handler().Handle(r.Context(), line)
			}
			auditRequest(logs, r, rec.Code())
		}()
		next.ServeHTTP(rec, r)
	})
}

// accessAttrs returns the fields of the access line. The query is left out because it carries codes, states and
// tracking ids. Long values are truncated, and the handler escapes untrusted text, so that no request can forge lines
// or flood the log (CWE-117).
func accessAttrs(r *http.Request, rec *Recorder, took time.Duration) []slog.Attr {
	f := inbound.Of(r)
	attrs := append(make([]slog.Attr, 0, 16),
		slog.String("method", logging.Capped(r.Method)),
		slog.String("host", logging.Capped(r.Host)),
		slog.String("path", logging.Capped(r.URL.EscapedPath())),
		slog.String("protocol", r.Proto),
		slog.Int("status", rec.Code()),
		slog.Int64("bytes", rec.bytes.Load()),
		slog.String("decision", f.Outcome.Decision),
		slog.String("rule", f.Outcome.Rule),
		slog.String("reason", f.Outcome.Reason),
		slog.String("client", f.Client.String()),
		slog.String("user_agent", logging.Capped(r.UserAgent())),
		slog.Float64("duration_ms", milliseconds(took)),
		slog.Float64("upstream_ms", milliseconds(f.Outcome.Upstream)),
		slog.Float64("overhead_ms", milliseconds(took-f.Outcome.Upstream)),
	)
	if f.Outcome.SessionRef != "" {
		attrs = append(attrs, slog.String("session", f.Outcome.SessionRef))
	}
	if f.Outcome.Err != nil {
		attrs = append(attrs, slog.String("error", logging.Capped(f.Outcome.Err.Error())))
	}
	return attrs
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Recorder records the status and the length of a response. Flushing and deadlines reach the wrapped writer through
// http.ResponseController.
type Recorder struct {
	http.ResponseWriter
	status int
	head   bool         // the request is a HEAD: net/http drops the body
	bytes  atomic.Int64 // of the body

	facts   *inbound.Facts // with metrics
	metrics *Metrics       // counts the bytes as they are sent; nil = none
}

// WriteHeader records the final status: 1xx responses come before it, except 101, which is final.
func (w *Recorder) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *Recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	if w.metrics != nil && !w.head {
		w.CountBytes(w.facts.Outcome.Rule, n)
	}
	return n, err
}

// CountBytes counts bytes that were sent to the visitor, at once: a stream or a WebSocket may last for hours.
func (w *Recorder) CountBytes(rule string, n int) {
	w.bytes.Add(int64(n))
	w.metrics.sent(rule, n)
}

// Hijack records 101: the 101 of a WebSocket is written to the connection, past WriteHeader.
func (w *Recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap returns the wrapped writer, for http.ResponseController.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Code returns the status that was sent. net/http sends 200 for a handler that wrote nothing.
func (w *Recorder) Code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
