package middleware

import (
	"net/http"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// auditRequest writes down what happened to a person in a request, where the parts that did it do not say so themselves: somebody who
// is logged in was turned away, or a login failed.
func auditRequest(logs RequestLogs, r *http.Request, status int) {
	f := inbound.Of(r)
	switch {
	case f.Outcome.Decision == "forbid":
		logs.Audit.WarnContext(r.Context(), "deny", "action", "deny", "outcome", "refused", "rule", f.Outcome.Rule, "reason", f.Outcome.Reason,
			"status", status, "client", f.Client.String(), "session", f.Outcome.SessionRef, logging.EmailKey, f.Outcome.Email)
	case f.Outcome.Login && status >= http.StatusBadRequest:
		if f.Outcome.Granted {
			logs.Audit.WarnContext(r.Context(), "login", failedLogin(f, status)...)
			return
		}
		logs.Failures.write(r, status)
	}
}

func failedLogin(f *inbound.Facts, status int) []any {
	attrs := []any{"action", "login", "outcome", "failure", "reason", f.Outcome.Reason,
		"status", status, "client", f.Client.String()}
	if f.Outcome.Err != nil { // the operator needs it with log.access: false too
		attrs = append(attrs, "error", logging.Capped(f.Outcome.Err.Error()))
	}
	return attrs
}
