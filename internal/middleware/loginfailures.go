package middleware

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hubgate/hubgate/internal/inbound"
)

// Bounds of the lines about failed logins.
const (
	failureEvery  = time.Minute // between two lines of one client and reason
	failureRate   = 10          // lines a second of all clients
	failureBursts = 50          // lines at once of all clients
)

// LoginFailures logs logins that failed before the provider granted a token. Anyone can cause any number of them
// without logging in: with a made-up state, an error in the query, a repeated callback. Without limits they would fill
// the log and displace the lines about real people (CWE-779). Suppressed lines are counted in the next line.
type LoginFailures struct {
	log   *slog.Logger
	now   func() time.Time
	total *rate.Limiter

	mu     sync.Mutex
	last   map[failureKey]*failureLine // bounded by total: only a written line adds an entry
	others uint64                      // suppressed lines of clients and reasons that have no entry
	pruned time.Time
}

type failureKey struct {
	client netip.Prefix
	reason string
}

// failureLine is the last line of a client and reason, and the number of lines suppressed since.
type failureLine struct {
	at         time.Time
	suppressed uint64
}

// NewLoginFailures returns LoginFailures that write to log.
func NewLoginFailures(log *slog.Logger, now func() time.Time) *LoginFailures {
	return &LoginFailures{
		log: log, now: now, total: rate.NewLimiter(failureRate, failureBursts), last: map[failureKey]*failureLine{},
	}
}

// write logs a failed login or counts it as suppressed.
func (l *LoginFailures) write(r *http.Request, status int) {
	f := inbound.Of(r)
	own, others, due := l.due(failureKey{f.Network(), f.Outcome.Reason})
	if !due {
		return
	}
	attrs := failedLogin(f, status)
	if own > 0 {
		attrs = append(attrs, "suppressed", own)
	}
	if others > 0 {
		attrs = append(attrs, "suppressed_others", others)
	}
	l.log.WarnContext(r.Context(), "login", attrs...)
}

// due reports whether a line may be written now, and how many were suppressed: of the same client and reason, and of
// all others without an entry.
func (l *LoginFailures) due(key failureKey) (own, others uint64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, last := l.now(), l.last[key]
	if last != nil && now.Sub(last.at).Abs() < failureEvery { // negative if the clock was set back
		last.suppressed++
		return 0, 0, false
	}
	if !l.total.AllowN(now, 1) {
		l.others++
		return 0, 0, false
	}
	if last != nil {
		own = last.suppressed
	}
	l.last[key] = &failureLine{at: now}
	l.prune(now)
	others, l.others = l.others, 0
	return own, others, true
}

// prune removes entries that no longer limit anything.
func (l *LoginFailures) prune(now time.Time) {
	if now.Sub(l.pruned).Abs() < failureEvery {
		return
	}
	l.pruned = now
	for key, last := range l.last {
		if now.Sub(last.at).Abs() >= failureEvery {
			l.others += last.suppressed
			delete(l.last, key)
		}
	}
}
