package admin

import (
	"crypto/rand"
	"log/slog"
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/middleware"
)

// ruleAdmin marks a request to the admin listener as one that is audited: everything but metrics and health, and whatever was refused.
const ruleAdmin = "_admin"

// audited writes one line for each request of an operator, without its query: who was looked for stands there.
func (s *Server) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &inbound.Facts{ID: rand.Text(), Peer: inbound.Address(r.RemoteAddr)}
		r = r.WithContext(inbound.With(r.Context(), f))
		rec := &middleware.Recorder{ResponseWriter: w}
		defer func() {
			if f.Outcome.Rule == ruleAdmin {
				s.Audit.LogAttrs(r.Context(), slog.LevelInfo, "admin", adminAttrs(r, f, rec.Code())...)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

func adminAttrs(r *http.Request, f *inbound.Facts, status int) []slog.Attr {
	action, result := "admin_change", "success"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		action = "admin_read"
	}
	switch {
	case f.Outcome.Decision == "refuse":
		result = "refused"
	case status >= http.StatusBadRequest:
		result = "failure"
	}
	attrs := []slog.Attr{
		slog.String("action", action), slog.String("outcome", result), slog.String("reason", f.Outcome.Reason), slog.String("method", logging.Capped(r.Method)),
		slog.String("path", logging.Capped(r.URL.EscapedPath())), slog.Int("status", status), slog.String("client", f.Peer.String()),
	}
	if f.Outcome.Err != nil {
		attrs = append(attrs, slog.String("error", logging.Capped(f.Outcome.Err.Error())))
	}
	return attrs
}
