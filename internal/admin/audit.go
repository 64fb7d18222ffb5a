package admin

import (
	"crypto/rand"
	"log/slog"
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
)

// ruleAdmin is the rule of requests that are audited: all but metrics and health, and those that were refused.
const ruleAdmin = "_admin"

// audited writes a line for each request of an operator, without the query, which may contain an e-mail address.
func (s *Server) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &inbound.Facts{ID: rand.Text(), Peer: inbound.Address(r.RemoteAddr)}
		r = r.WithContext(inbound.With(r.Context(), f))
		rec := &middleware.Recorder{ResponseWriter: w}
		defer func() {
			if f.Outcome.Rule == ruleAdmin {
				s.Audit.LogAttrs(r.Context(), slog.LevelInfo, "admin", auditAttrs(r, f, rec.Code())...)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func auditAttrs(r *http.Request, f *inbound.Facts, status int) []slog.Attr {
	action, outcome := "admin_change", "success"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		action = "admin_read"
	}
	switch {
	case f.Outcome.Decision == "refuse":
		outcome = "refused"
	case status >= http.StatusBadRequest:
		outcome = "failure"
	}
	attrs := []slog.Attr{
		slog.String("action", action), slog.String("outcome", outcome), slog.String("reason", f.Outcome.Reason),
		slog.String("method", logging.Capped(r.Method)), slog.String("path", logging.Capped(r.URL.EscapedPath())),
		slog.Int("status", status), slog.String("client", f.Peer.String()),
	}
	if f.Outcome.Err != nil {
		attrs = append(attrs, slog.String("error", logging.Capped(f.Outcome.Err.Error())))
	}
	return attrs
}
