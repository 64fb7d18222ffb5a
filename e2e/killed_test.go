package e2e

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newTrio returns a site with three routed gateways. access is the lifetime of the pool's access tokens.
func newTrio(t *testing.T, access time.Duration) *site {
	t.Helper()
	s := newSite(t, options{provider: cognitoWith(access), routed: true})
	for range 3 {
		s.serve()
	}
	return s
}

func TestRefreshOncePerSession(t *testing.T) {
	t.Parallel()
	s := newTrio(t, time.Hour)
	s.pool.expiresIn.Store(2)
	v := s.member()
	end := time.Now().Add(2 * time.Second)
	eventually(t, "the access token has expired", func() bool { return time.Now().After(end) })
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if !s.served(v) {
				t.Error("a request got 503")
			}
		})
	}
	all.Wait()
	if n := s.pool.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

// The provider has redeemed the old refresh token, but the process that was to receive the new one is killed.
func TestRefreshSurvivesKilledReplica(t *testing.T) {
	t.Parallel()
	s := newTrio(t, time.Hour)
	s.pool.expiresIn.Store(1)
	s.router.pin(0)
	v := s.member()
	kill := func(n int64) {
		if n == 1 {
			s.gateways[0].kill()
		}
	}
	s.pool.onRefresh.Store(&kill)
	eventually(t, "the replica is killed during its refresh", func() bool {
		v.open(s.url + "/members/")
		return s.pool.refreshes.Load() == 1
	})
	s.router.pin(-1)
	eventually(t, "another replica refreshes", func() bool {
		if !s.served(v) {
			t.Error("503, although refresh_grace has not passed")
		}
		return s.pool.refreshes.Load() == 2
	})
	for range 6 {
		if !s.served(v) {
			t.Error("503 afterwards")
		}
	}
}

func TestSessionsSurviveKilledReplicaUnderLoad(t *testing.T) {
	t.Parallel()
	s := newTrio(t, 3*time.Second)
	visitors := make([]*visitor, 12)
	for i := range visitors {
		visitors[i] = s.member()
	}
	kill := func(n int64) {
		if n == 15 {
			s.gateways[0].kill()
		}
	}
	s.pool.onRefresh.Store(&kill)
	var served, unavailable atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{})
	for _, v := range visitors {
		repeat(&all, 50*time.Millisecond, over, func() {
			if s.served(v) {
				served.Add(1)
			} else {
				unavailable.Add(1)
			}
		})
	}
	eventually(t, "many refreshes after the kill", func() bool { return s.pool.refreshes.Load() >= 50 || t.Failed() })
	close(over)
	all.Wait()
	for _, v := range visitors {
		if !s.served(v) {
			t.Error("a session is not served at the end")
		}
	}
	t.Logf("%d served, %d times 503, %d refreshes", served.Load(), unavailable.Load(), s.pool.refreshes.Load())
}
