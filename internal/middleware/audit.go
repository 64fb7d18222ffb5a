package middleware

import (
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// auditRequest writes the audit line of a request that was denied to a logged-in visitor, or whose login failed. Other
// audited events are logged where they happen.
func auditRequest(logs RequestLogs, r *http.Request, status int) {
	f := inbound.Of(r)
	switch {
	case f.Outcome.Decision == "forbid":
		logs.Audit.WarnContext(r.Context(), "deny", "action", "deny", "outcome", "refused",
			"rule", f.Outcome.Rule, "reason", f.Outcome.Reason, "status", status,
			"client", f.Client.String(), "session", f.Outcome.SessionRef, logging.EmailKey, f.Outcome.Email)
	case f.Outcome.Login && status >= http.StatusBadRequest:
		if f.Outcome.Granted {
			logs.Audit.WarnContext(r.Context(), "login", failedLogin(f, status)...)
			return
		}
		logs.Failures.write(r, status)
	}
}

// failedLogin returns the fields of a failed login.
func failedLogin(f *inbound.Facts, status int) []any {
	attrs := []any{"action", "login", "outcome", "failure", "reason", f.Outcome.Reason,
		"status", status, "client", f.Client.String()}
	if f.Outcome.Err != nil { // also with log.access: false
		attrs = append(attrs, "error", logging.Capped(f.Outcome.Err.Error()))
	}
	return attrs
}
