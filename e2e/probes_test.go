package e2e

import (
	"strings"
	"testing"
)

// The provider is down when the gateway starts, and comes back; nobody visits the site.
func TestDependencyUpFollowsTheProviderWithoutAVisitor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.kill()
	w.serve()
	says := func(value, status string) func() bool {
		return func() bool {
			return strings.Contains(adminText(w.adminPort, "/metrics"), `hubgate_dependency_up{dependency="idp"} `+value+"\n") &&
				strings.Contains(adminText(w.adminPort, "/readyz"), status)
		}
	}
	eventually(t, "the provider is down", says("0", "degraded"))
	startProvider(t, w.providerPort, w.site()+"/oauth2/callback")
	eventually(t, "the provider is up", says("1", `"status": "ok"`))
}
