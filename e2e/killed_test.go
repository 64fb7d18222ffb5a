package e2e

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// threeReplicas are gateways on one Redis; access is how long the pool's access tokens live.
func threeReplicas(t *testing.T, access time.Duration) *gateways {
	t.Helper()
	need(t, "redis", "redis-server")
	port := freePorts(t, 1)
	startRedis(t, port)
	f := newGateways(t, access)
	for range 3 {
		f.join(single(port), "")
	}
	return f
}

// served tells whether a page is served with the visitor's session; anything but that and "try again" fails the test.
func (f *gateways) served(v *visitor) bool {
	f.t.Helper()
	got := v.open(f.site + "/members/")
	switch {
	case !strings.HasPrefix(got.Request.URL.String(), f.site):
		f.t.Errorf("signed out: sent to %s", got.Request.URL)
	case got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable:
		f.t.Errorf("status %d", got.StatusCode)
	}
	return got.StatusCode == http.StatusOK
}

func TestTwoHundredRequestsAtTheAccessTokensEndMakeOneRefresh(t *testing.T) {
	t.Parallel()
	f := threeReplicas(t, time.Hour)
	f.expiresIn.Store(2)
	v := f.login()
	end := time.Now().Add(2 * time.Second)
	eventually(t, "the access token has ended", func() bool { return time.Now().After(end) })
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if !f.served(v) {
				t.Error("a request was told to try again")
			}
		})
	}
	all.Wait()
	if n := f.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

// The worst moment: the provider has spent the old refresh token, and the process that would have got the new one is gone.
func TestAReplicaThatIsKilledBeforeItHearsOfItsRefreshCostsNoSession(t *testing.T) {
	t.Parallel()
	f := threeReplicas(t, time.Hour)
	f.expiresIn.Store(1)
	f.router.pin(0)
	v := f.login()
	kill := func(n int64) {
		if n == 1 {
			f.replicas[0].kill()
		}
	}
	f.spent.Store(&kill)
	eventually(t, "a refresh is under way and its replica gone", func() bool {
		v.open(f.site + "/members/")
		return f.refreshes.Load() == 1
	})
	f.router.pin(-1)
	eventually(t, "another replica refreshes", func() bool {
		if !f.served(v) {
			t.Error("told to try again, although the session passes for refresh_grace")
		}
		return f.refreshes.Load() == 2
	})
	for range 6 {
		if !f.served(v) {
			t.Error("told to try again afterwards")
		}
	}
}

func TestAReplicaThatIsKilledUnderLoadCostsNobodyTheirSession(t *testing.T) {
	t.Parallel()
	f := threeReplicas(t, 3*time.Second)
	visitors := make([]*visitor, 12)
	for i := range visitors {
		visitors[i] = f.login()
	}
	kill := func(n int64) {
		if n == 15 {
			f.replicas[0].kill()
		}
	}
	f.spent.Store(&kill)
	var served, again atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{})
	for _, v := range visitors {
		all.Go(func() {
			for tick := time.NewTicker(50 * time.Millisecond); ; {
				select {
				case <-over:
					tick.Stop()
					return
				case <-tick.C:
				}
				if f.served(v) {
					served.Add(1)
				} else {
					again.Add(1)
				}
			}
		})
	}
	eventually(t, "many refreshes after the kill", func() bool { return f.refreshes.Load() >= 50 || t.Failed() })
	close(over)
	all.Wait()
	for _, v := range visitors {
		if !f.served(v) {
			t.Error("a session is not served at the end")
		}
	}
	t.Logf("%d served, %d told to try again, %d refreshes", served.Load(), again.Load(), f.refreshes.Load())
}
