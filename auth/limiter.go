package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

// Limiter limits how many logins an address may begin. It forgets idle addresses.
type Limiter struct {
	mu      sync.Mutex
	rate    setting.Rate
	clients map[loginClient]*loginBudget
	pruned  time.Time
}

// loginClient identifies the visitors whose logins are counted together.
type loginClient struct {
	network netip.Prefix
	shared  bool // forwards the requests of many visitors, and is not a trusted proxy
}

// loginBudget limits the logins of one client.
type loginBudget struct {
	*rate.Limiter
	seen    time.Time
	refused bool // the last login was refused
}

// NewLimiter returns a Limiter, which lives as long as the process.
func NewLimiter() *Limiter {
	return &Limiter{clients: map[loginClient]*loginBudget{}}
}

const (
	maxLoginClients = 100_000
	sharedFactor    = 20 // multiplies the limit of a proxy that forwards for many visitors
)

// wait returns 0 if the client may begin a login now, and otherwise the time until it may. first reports whether the
// previous login was allowed. A load balancer that is missing from the trusted proxies forwards for everyone, so it
// may begin sharedFactor times as many. It still has a limit, because anyone on a private network can send the header
// that makes a client look like one.
func (l *Limiter) wait(r setting.Rate, facts *inbound.Facts, now time.Time) (delay time.Duration, first bool) {
	if l == nil || r.None() {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate != r || len(l.clients) > maxLoginClients {
		l.rate, l.clients = r, map[loginClient]*loginBudget{}
	}
	l.prune(now)
	budget := l.budget(loginClient{facts.Network(), facts.UntrustedForwarding})
	budget.seen = now
	reservation := budget.ReserveN(now, 1)
	if delay = reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		first = !budget.refused
	}
	budget.refused = delay > 0
	return delay, first
}

// budget returns a client's budget. The caller holds l.mu.
func (l *Limiter) budget(client loginClient) *loginBudget {
	budget := l.clients[client]
	if budget == nil {
		burst := l.rate.Requests
		if client.shared {
			burst *= sharedFactor
		}
		perSecond := rate.Limit(float64(burst) / l.rate.Per.D().Seconds())
		budget = &loginBudget{Limiter: rate.NewLimiter(perSecond, burst)}
		l.clients[client] = budget
	}
	return budget
}

func (l *Limiter) prune(now time.Time) {
	if now.Sub(l.pruned) < l.rate.Per.D() {
		return
	}
	l.pruned = now
	for client, budget := range l.clients {
		if now.Sub(budget.seen) > l.rate.Per.D() {
			delete(l.clients, client)
		}
	}
}
