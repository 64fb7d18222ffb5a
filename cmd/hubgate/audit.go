package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
)

// auditRequest writes down what happened to a person in a request, where the parts that did it do not say so themselves: somebody who
// is logged in was turned away, or a login failed.
func auditRequest(logs requestLogs, r *http.Request, status int) {
	f := inbound.Of(r)
	switch {
	case f.Outcome.Decision == "forbid":
		logs.audit.WarnContext(r.Context(), "deny", "action", "deny", "outcome", "refused", "rule", f.Outcome.Rule, "reason", f.Outcome.Reason,
			"status", status, "client", f.Client.String(), "session", f.Outcome.SessionRef, emailKey, f.Outcome.Email)
	case f.Outcome.Login && status >= http.StatusBadRequest:
		if f.Outcome.Granted {
			logs.audit.WarnContext(r.Context(), "login", failedLogin(f, status)...)
			return
		}
		logs.failures.write(r, status)
	}
}

func failedLogin(f *inbound.Facts, status int) []any {
	attrs := []any{"action", "login", "outcome", "failure", "reason", f.Outcome.Reason,
		"status", status, "client", f.Client.String()}
	if f.Outcome.Err != nil { // the operator needs it with log.access: false too
		attrs = append(attrs, "error", capped(f.Outcome.Err.Error()))
	}
	return attrs
}

// ruleAdmin marks a request to the admin listener as one that is audited: everything but metrics and health, and whatever was refused.
const ruleAdmin = "_admin"

// audited writes one line for each request of an operator, without its query: who was looked for stands there.
func (a *admin) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := &inbound.Facts{ID: rand.Text(), Peer: inbound.Address(r.RemoteAddr)}
		r = r.WithContext(inbound.With(r.Context(), f))
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if f.Outcome.Rule == ruleAdmin {
				a.audit.LogAttrs(r.Context(), slog.LevelInfo, "admin", adminAttrs(r, f, rec.code())...)
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
		slog.String("action", action), slog.String("outcome", result), slog.String("reason", f.Outcome.Reason), slog.String("method", capped(r.Method)),
		slog.String("path", capped(r.URL.EscapedPath())), slog.Int("status", status), slog.String("client", f.Peer.String()),
	}
	if f.Outcome.Err != nil {
		attrs = append(attrs, slog.String("error", capped(f.Outcome.Err.Error())))
	}
	return attrs
}
