package auth

import (
	"net/netip"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

func TestLimiterBoundsForwardingPeers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	limit := setting.Rate{Requests: 3, Per: setting.Duration(time.Minute)}
	for name, c := range map[string]struct {
		facts inbound.Facts
		may   int
	}{
		"one client":         {inbound.Facts{Client: netip.MustParseAddr("192.0.2.1")}, 3},
		"a private client":   {inbound.Facts{Client: netip.MustParseAddr("10.0.0.1")}, 3},
		"a balancer":         {inbound.Facts{Client: netip.MustParseAddr("10.0.0.1"), UntrustedForwarding: true}, 60},
		"a balancer of IPv6": {inbound.Facts{Client: netip.MustParseAddr("fd00::1"), UntrustedForwarding: true}, 60},
		"no address":         {inbound.Facts{UntrustedForwarding: true}, 60},
	} {
		l, began := NewLimiter(), 0
		for range 1000 {
			if wait, _ := l.wait(limit, &c.facts, now); wait == 0 {
				began++
			}
		}
		if began != c.may {
			t.Errorf("%s: %d logins, want %d", name, began, c.may)
		}
		if wait, _ := l.wait(limit, &c.facts, now.Add(time.Minute)); wait != 0 {
			t.Errorf("%s has to wait %s after a minute", name, wait)
		}
	}
}

// Logins with the forwarding header do not count against the limit of the same address without it.
func TestLimiterCountsForwardedLoginsSeparately(t *testing.T) {
	t.Parallel()
	l, limit := NewLimiter(), setting.Rate{Requests: 1, Per: setting.Duration(time.Minute)}
	facts := inbound.Facts{Client: netip.MustParseAddr("10.0.0.1"), UntrustedForwarding: true}
	for range 30 {
		l.wait(limit, &facts, time.Now())
	}
	facts.UntrustedForwarding = false
	if wait, _ := l.wait(limit, &facts, time.Now()); wait != 0 {
		t.Errorf("wait %s", wait)
	}
}
