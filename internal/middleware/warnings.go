package middleware

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
)

// Warnings logs signs of a misconfigured load balancer, once for each address.
type Warnings struct {
	Log                *slog.Logger
	scheme, forwarding peerWarnings
}

// check logs a warning if the request shows that a balancer is misconfigured.
func (fw *Warnings) check(f *inbound.Facts) {
	if f.Trusted && f.Scheme == "" && f.Site.Secure() && fw.scheme.due(f.Peer, time.Now()) {
		fw.Log.Warn("a trusted proxy sends no X-Forwarded-Proto, so http cannot be told from https; "+
			"configure it to send the header", "peer", f.Peer.String())
	}
	if f.UntrustedForwarding && fw.forwarding.due(f.Peer, time.Now()) {
		fw.Log.Warn("a peer sends X-Forwarded-For but is not in server.trusted_proxies, so every visitor seems to come "+
			"from its address; add it there if it is your load balancer", "peer", f.Peer.String())
	}
}

const (
	warningGap = time.Minute // between two warnings of a kind, for any address
	maxWarned  = 100         // addresses remembered
)

// peerWarnings limits a warning that names an address. Anyone can send the header that causes it, so one address must
// not use up the warning of another, and many addresses must not fill the log.
type peerWarnings struct {
	mu     sync.Mutex
	last   time.Time
	logged map[netip.Addr]bool
}

// due reports whether the warning should be logged for the peer now.
func (p *peerWarnings) due(peer netip.Addr, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.logged[peer] || !p.last.IsZero() && now.Sub(p.last) < warningGap {
		return false
	}
	if p.logged == nil || len(p.logged) >= maxWarned {
		p.logged = map[netip.Addr]bool{}
	}
	p.logged[peer], p.last = true, now
	return true
}
