package e2e

import (
	"strings"
	"testing"
)

// The metric changes although no visitor needs the provider, which is down when the gateway starts.
func TestDependencyUpFollowsTheProvider(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.provider.kill()
	g := s.serve()
	reports := func(value, status string) func() bool {
		return func() bool {
			return strings.Contains(g.text("/metrics"), `hubgate_dependency_up{dependency="idp"} `+value+"\n") &&
				strings.Contains(g.text("/readyz"), status)
		}
	}
	eventually(t, "the provider is down", reports("0", "degraded"))
	s.startOtherProvider()
	eventually(t, "the provider is up", reports("1", `"status": "ok"`))
}
