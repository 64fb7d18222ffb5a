package crm

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/setting"
)

// maxAttempts is how often a call is made that fails with transient errors.
const maxAttempts = 5

// doWithRetry makes a call and retries it after transient errors.
func (a *Account) doWithRetry(ctx context.Context, k call) (body []byte, err error) {
	for attempt := 1; ; attempt++ {
		body, err = a.client.do(ctx, k)
		var e *APIError
		if err == nil || attempt == maxAttempts || errors.As(err, &e) && !e.Transient() {
			return body, err
		}
		wait := time.Second << (attempt - 1)
		if e != nil && e.Status == http.StatusTooManyRequests {
			wait = min(e.RateLimitPause(), 15*time.Second)
		}
		if deadline, bound := ctx.Deadline(); bound && time.Until(deadline) < wait || !background.Sleep(ctx, wait) {
			return nil, err // more specific than the context's error
		}
	}
}

// localLimiter spreads the calls of one process evenly.
type localLimiter struct {
	interval time.Duration
	next     time.Time
}

func newLocalLimiter(rate setting.Rate) *localLimiter {
	return &localLimiter{interval: rate.Per.D() / time.Duration(max(1, rate.Requests))}
}

// Acquire waits for the next call's turn.
func (l *localLimiter) Acquire(ctx context.Context) (string, error) {
	if wait := time.Until(l.next); wait > 0 && !background.Sleep(ctx, wait) {
		return "", ctx.Err()
	}
	l.next = time.Now().Add(l.interval)
	return "", nil
}

// Done does nothing.
func (l *localLimiter) Done(string, http.Header) {}
