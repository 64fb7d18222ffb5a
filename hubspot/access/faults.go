package access

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
)

// logBegin logs once why HubSpot is not asked or does not answer, and what to do.
func (o *outage) logBegin(cause error) {
	level, e := slog.LevelWarn, (*crm.APIError)(nil)
	if errors.As(cause, &e) && !e.Transient() {
		level = slog.LevelError
	}
	what := "HubSpot cannot be asked about visitors"
	if ratelimit.IsRedisError(cause) {
		what = "HubSpot is not asked about visitors while Redis fails"
	}
	o.log.Log(context.Background(), level, what+"; what is known about them is used up to hubspot.access.max_stale",
		"error", cause, "cure", cureOf(cause))
}

// cureOf returns what an operator can do about failed calls.
func cureOf(cause error) string {
	var e *crm.APIError
	switch {
	case ratelimit.IsRedisError(cause):
		return "HubSpot is not the cause: calls are counted in Redis, and continue when it works again"
	case !errors.As(cause, &e):
	case e.Status == http.StatusUnauthorized:
		return "HubSpot rejects the token; put a new one into hubspot.access_token"
	case e.LacksScopes():
		return "the token lacks scopes; grant them in HubSpot: " + strings.Join(e.Scopes, ", ")
	case e.Status == http.StatusForbidden:
		return "grant the token the scopes crm.objects.contacts.read and crm.lists.read in HubSpot"
	case e.Status == http.StatusBadRequest:
		return "run hubgate check --live, which finds properties that do not exist or cannot be read"
	case e.Daily():
		return "the account's daily limit is reached; it continues when HubSpot's day ends"
	case e.Status == http.StatusTooManyRequests:
		return "HubSpot's rate limit is reached; if this is frequent, lower hubspot.rate_limit"
	}
	return "it continues by itself when calls succeed again"
}

// blameEvery limits the log lines that visitors can cause.
const blameEvery = time.Minute

// blame logs that HubSpot answers, but not about a person.
func (o *outage) blame(subject string, failure error) {
	o.mu.Lock()
	now := o.now()
	due := now.Sub(o.blamed) >= blameEvery
	if due {
		o.blamed = now
	}
	o.mu.Unlock()
	if due {
		o.log.Warn("HubSpot answers, but not about this person, whose access is unknown; retrying when it is needed",
			"subject", subject, "error", failure)
	}
}
