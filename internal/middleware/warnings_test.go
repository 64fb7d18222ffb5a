package middleware

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestPeerWarningsAreLimitedPerPeerAndMinute(t *testing.T) {
	t.Parallel()
	stranger, balancer := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("10.0.0.2")
	now := time.Now()
	var p peerWarnings
	if !p.due(stranger, now) || p.due(stranger, now.Add(time.Hour)) {
		t.Error("the same address is named again")
	}
	if p.due(balancer, now.Add(warningGap-1)) {
		t.Error("two warnings within a minute")
	}
	if !p.due(balancer, now.Add(warningGap)) {
		t.Error("the stranger has used up the balancer's warning")
	}
	for i := range 10 * maxWarned {
		p.due(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)), now.Add(time.Duration(i+2)*warningGap))
		if len(p.logged) > maxWarned {
			t.Fatalf("%d addresses are kept", len(p.logged))
		}
	}
}
