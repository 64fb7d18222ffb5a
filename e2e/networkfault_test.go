package e2e

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/faultproxy"
)

// networkFault is a fault between the first gateway and Redis.
type networkFault struct {
	name    string
	fault   faultproxy.Fault
	cut     bool // all connections are closed again and again
	partial bool // some commands succeed
}

func TestRedisNetworkFaultsKeepSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{provider: cognito, routed: true})
	network, err := faultproxy.New(local(s.redis.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	s.serve(config{"session.redis": redisAt(network.Addr())})
	s.serve()
	for _, f := range []networkFault{
		{name: "refused", fault: faultproxy.Fault{Refuse: true}},
		{name: "hanging", fault: faultproxy.Fault{Hang: true}},
		{name: "half-open", fault: faultproxy.Fault{HalfOpen: true}},
		{name: "garbage", fault: faultproxy.Fault{Garbage: true}},
		{name: "too slow", fault: faultproxy.Fault{Delay: 2 * time.Second}},
		{name: "slow", fault: faultproxy.Fault{Delay: 100 * time.Millisecond}, partial: true},
		{name: "narrow", fault: faultproxy.Fault{PerChunk: 64, Delay: 20 * time.Millisecond}, partial: true},
		{name: "cut", cut: true, partial: true},
	} {
		t.Run(f.name, func(t *testing.T) {
			s.t = t
			newOutage(s).during(network, f)
		})
	}
}

// during checks everything while the network has a fault, and the recovery.
func (p *outage) during(network *faultproxy.Proxy, f networkFault) {
	t := p.s.t
	if err := network.Set(f.fault); err != nil {
		t.Fatal(err)
	}
	var cutting sync.WaitGroup
	over := make(chan struct{})
	if f.cut {
		repeat(&cutting, 5*time.Millisecond, over, network.Cut)
	}
	p.public()
	for range 5 { // from the first page on, whether or not the fault was noticed
		p.wantPage("known session", p.known, http.StatusOK)
	}
	if !f.partial {
		p.wantPage("unknown session", p.unknown, http.StatusServiceUnavailable)
	}
	const n = 150 // more than the pool has connections
	first, longest := p.burst(n)
	if longest > 5*time.Second {
		t.Errorf("a request took %s", longest)
	}
	before := network.Accepted()
	second, _ := p.burst(n)
	dials := network.Accepted() - before
	const unavailable = http.StatusServiceUnavailable
	if !f.partial && (first[unavailable] != n || second[unavailable] != n || dials > 30) {
		t.Errorf("%d at once: %v, again: %v; then %d dials", n, first, second, dials)
	}
	if !f.partial {
		p.endpoints()
	}
	p.open("known session", p.known)
	p.public()
	p.finishLogin(f.partial)
	cookies := p.logOut()
	close(over)
	cutting.Wait()
	if err := network.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d at once: %v, the longest took %s, %d dials; recovered after %s",
		n, first, longest, dials, p.recover(cookies))
}
