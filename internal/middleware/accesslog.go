package middleware

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// RequestLogs are where finished requests are written down. A nil access log writes no line.
type RequestLogs struct {
	Access, Audit *slog.Logger
	Failures      *LoginFailures
}

// Observed writes one wide line and one set of metrics for each request, when its answer is finished.
func Observed(logs RequestLogs, metrics *Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &Recorder{ResponseWriter: w}
		metrics.inFlight.Inc()
		defer func() {
			took := time.Since(start)
			facts := inbound.Of(r)
			if facts.Outcome.Decision == "" { // cut off before anybody judged it
				inbound.Of(r).Outcome.Set(RuleNone, "error", "aborted")
			}
			metrics.inFlight.Dec()
			metrics.observe(r.Method, rec.Code(), facts, took)
			if logs.Access != nil && logs.Access.Enabled(r.Context(), slog.LevelInfo) {
				line := slog.NewRecord(start.Add(took), slog.LevelInfo, "request", 0)          // no source line: finding it costs as much as the rest
				line.AddAttrs(slog.Attr{Value: slog.GroupValue(accessAttrs(r, rec, took)...)}) // without a name: they stand in the line itself
				_ = logs.Access.Handler().Handle(r.Context(), line)
			}
			auditRequest(logs, r, rec.Code())
		}()
		next.ServeHTTP(rec, r)
	})
}

// accessAttrs are the fields of the access line. The query is left out: codes, states and tracking ids live there. slog's JSON
// escapes what a client wrote, and long values are cut (log forging and flooding, XS-06).
func accessAttrs(r *http.Request, rec *Recorder, took time.Duration) []slog.Attr {
	f := inbound.Of(r)
	attrs := append(make([]slog.Attr, 0, 16),
		slog.String("method", logging.Capped(r.Method)),
		slog.String("host", logging.Capped(r.Host)),
		slog.String("path", logging.Capped(r.URL.EscapedPath())),
		slog.String("protocol", r.Proto),
		slog.Int("status", rec.Code()),
		slog.Int64("bytes", rec.bytes),
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

// Recorder remembers an answer's status and length. Everything else (flushing, hijacking, deadlines) reaches the writer below
// through http.ResponseController.
type Recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the final status; 1xx come before it, except 101 which is final.
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
	w.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (w *Recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Code is the status sent; net/http sends 200 for a handler that wrote nothing.
func (w *Recorder) Code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
