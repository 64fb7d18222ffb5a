package auth

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// loopCookie counts, in the browser, how often a login was finished and the next request was not logged in. Not by address: many
// tabs, or many people behind one address, are no loop.
const loopCookie = "hubgate-loop"

const (
	loopKept  = 2 * time.Minute
	loopTime  = time.Minute // so soon after a login its session cannot be gone
	loopsMost = 3
)

type loopCount struct {
	Finished time.Time `json:"f"` // when this browser last finished a login
	Count    int       `json:"c"`
	Page     string    `json:"p,omitempty"` // asked to log in again for: max_auth_age
}

func (h *Handler) readLoop(r *http.Request) loopCount {
	var count loopCount
	name := hostPrefix(r) + loopCookie
	if cookies := r.CookiesNamed(name); len(cookies) == 1 {
		h.openCookie(seal.Loop, name, cookies[0].Value, &count)
	}
	return count
}

func (h *Handler) writeLoop(w http.ResponseWriter, r *http.Request, count loopCount) {
	name := hostPrefix(r) + loopCookie
	h.setCookie(w, r, name, h.sealCookie(seal.Loop, name, count), loopKept)
}

// loops counts a request that needs a login right after one was finished, and returns the cause at the third. Until then it returns "".
func (h *Handler) loops(w http.ResponseWriter, r *http.Request, why session.Reason, page string) string {
	count := h.readLoop(r)
	if count.Finished.IsZero() || h.deps.Now().Sub(count.Finished) >= loopTime {
		return ""
	}
	if why == "" && count.Page != page { // logged in, asked again for another page
		count.Page = page
		h.writeLoop(w, r, count)
		return ""
	}
	count.Count++
	if count.Count < loopsMost {
		h.writeLoop(w, r, count)
		return ""
	}
	h.setCookie(w, r, hostPrefix(r)+loopCookie, "", 0) // the page's button begins anew
	switch why {
	case session.CookieInvalid:
		return "cookie_invalid"
	case session.RecordMissing:
		return "record_missing"
	case session.Expired:
		return "expired_at_once"
	}
	return "cookie_missing"
}

// finished notes that this browser has just finished a login.
func (h *Handler) finished(w http.ResponseWriter, r *http.Request) {
	count := h.readLoop(r)
	count.Finished = h.deps.Now()
	h.writeLoop(w, r, count)
}

// Limiter bounds how many logins one address may begin. It forgets addresses that have been quiet.
type Limiter struct {
	mu     sync.Mutex
	rate   setting.Rate
	all    map[loginsKey]*loginsOf
	pruned time.Time
}

// loginsKey names whose logins are counted together.
type loginsKey struct {
	network netip.Prefix
	shared  bool // it forwards the requests of many, and is not a trusted proxy
}

// loginsOf are the logins that one address began.
type loginsOf struct {
	*rate.Limiter
	seen    time.Time
	refused bool // the last one was
}

// NewLimiter makes a Limiter; it lives as long as the process.
func NewLimiter() *Limiter {
	return &Limiter{all: map[loginsKey]*loginsOf{}}
}

const (
	maxAddresses = 100_000
	sharedTimes  = 20 // as many logins as one address may a balancer begin that stands for many
)

// wait is 0 when the address may begin a login now, else how long until it may; first reports whether that is news. A
// balancer that is missing from the trusted proxies stands for everybody, so it may begin sharedTimes as many. It has
// a limit all the same: anybody on a private network can send the header that makes it look like one.
func (l *Limiter) wait(r setting.Rate, facts *inbound.Facts, now time.Time) (delay time.Duration, first bool) {
	if l == nil || r.None() {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate != r || len(l.all) > maxAddresses {
		l.rate, l.all = r, map[loginsKey]*loginsOf{}
	}
	l.prune(now)
	key, most := loginsKey{facts.Network(), facts.UntrustedForwarding}, r.Requests
	if key.shared {
		most *= sharedTimes
	}
	of := l.all[key]
	if of == nil {
		of = &loginsOf{Limiter: rate.NewLimiter(rate.Limit(float64(most)/r.Per.D().Seconds()), most)}
		l.all[key] = of
	}
	of.seen = now
	reservation := of.ReserveN(now, 1)
	if delay = reservation.DelayFrom(now); delay > 0 {
		reservation.CancelAt(now)
		first = !of.refused
	}
	of.refused = delay > 0
	return delay, first
}

func (l *Limiter) prune(now time.Time) {
	if now.Sub(l.pruned) < l.rate.Per.D() {
		return
	}
	l.pruned = now
	for key, of := range l.all {
		if now.Sub(of.seen) > l.rate.Per.D() {
			delete(l.all, key)
		}
	}
}
