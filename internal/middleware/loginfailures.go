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

// LoginFailures writes the lines of logins that failed before the provider granted a token. Any visitor can make any
// number of them, without a login and without a cookie: an invented state, an error in the address, a callback sent
// again. Without limits they would fill the log and push out the lines about people (CWE-779). What is left out is
// counted in the next line.
type LoginFailures struct {
	log   *slog.Logger
	now   func() time.Time
	total *rate.Limiter

	mu     sync.Mutex
	last   map[failureKey]*failureLine // its size is bounded by total, since only a line that is written makes an entry
	others uint64                      // left out, of clients and reasons that have no entry
	pruned time.Time
}

type failureKey struct {
	client netip.Prefix
	reason string
}

// failureLine is the last line of a client and reason, and how many were left out after it.
type failureLine struct {
	at      time.Time
	leftOut uint64
}

func NewLoginFailures(log *slog.Logger, now func() time.Time) *LoginFailures {
	return &LoginFailures{
		log: log, now: now, total: rate.NewLimiter(failureRate, failureBursts), last: map[failureKey]*failureLine{},
	}
}

// write writes the line of a failed login, or counts it.
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

// due reports whether a line is to be written, and how many were left out: of the same client and reason, and of those
// whose own next line did not come or was one too many.
func (l *LoginFailures) due(key failureKey) (own, others uint64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, last := l.now(), l.last[key]
	if last != nil && now.Sub(last.at).Abs() < failureEvery { // negative: the clock was set back
		last.leftOut++
		return 0, 0, false
	}
	if !l.total.AllowN(now, 1) {
		l.others++
		return 0, 0, false
	}
	if last != nil {
		own = last.leftOut
	}
	l.last[key] = &failureLine{at: now}
	l.prune(now)
	others, l.others = l.others, 0
	return own, others, true
}

// prune forgets lines that limit nothing any more.
func (l *LoginFailures) prune(now time.Time) {
	if now.Sub(l.pruned).Abs() < failureEvery {
		return
	}
	l.pruned = now
	for key, last := range l.last {
		if now.Sub(last.at).Abs() >= failureEvery {
			l.others += last.leftOut
			delete(l.last, key)
		}
	}
}
