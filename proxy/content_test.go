package proxy

import (
	"net/http"
	"sync"
	"testing"
)

func TestProtectedPageForUser(t *testing.T) {
	t.Parallel()
	s, l := leakStage(t, false)
	if got := s.get(t, "GET", "/Members/secret", asBob); got.StatusCode != 200 || got.body != secret {
		t.Errorf("%d %q", got.StatusCode, got.body)
	}
	if l.leaked.Load() != 1 {
		t.Error("the lenient origin does not know its own page, so it would not notice a leak")
	}
}

func TestHubSpotContentPasses(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]string{}
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.RequestURI] = r.Host
	})
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))})
	for _, target := range legitimate() {
		if got := s.get(t, "GET", target, "Connection: close"); got.StatusCode != 200 {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
		mu.Lock()
		if _, exact := seen[target]; !exact {
			t.Errorf("%s: was not forwarded exactly", target)
		}
		mu.Unlock()
	}
}
