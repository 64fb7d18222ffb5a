package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// TestFirewallThatDislikesAVisitorKeepsTheGatewayReady has a firewall before HubSpot that blocks every call with one
// visitor's address. Health and the contacts of others do not depend on what a visitor's profile contains.
func TestFirewallThatDislikesAVisitorKeepsTheGatewayReady(t *testing.T) {
	t.Parallel()
	portal := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	portal.Dislike(fakehubspot.Dislike{Text: email, As: fakehubspot.Blocked})
	api := httptest.NewServer(portal)
	defer api.Close()
	s := newSite(t, options{config: config{"hubspot.api_url": api.URL}})
	g := s.serve()
	s.login(newVisitor(t), "/members/")
	ready := func() {
		t.Helper()
		if status, text := g.request(http.MethodGet, "/readyz?strict=1", "", ""); status != http.StatusOK {
			t.Errorf("not ready: %d %s", status, text)
		}
	}
	eventually(t, "the firewall has blocked the contact", func() bool {
		ready()
		_, text := g.api(http.MethodGet, "/api/contacts/queue", "")
		return strings.Contains(text, "403 ")
	})
	g.must("contacts", "send", "other@example.com", "--create")
	eventually(t, "another contact is in HubSpot", func() bool { ready(); return len(portal.Contacts()) == 1 })
	eventually(t, "the blocked contact is a dead letter", func() bool {
		ready()
		status, out := g.command("contacts", "dead")
		return status == 3 && strings.Contains(out, email) && strings.Contains(out, "403")
	})
	if status, out := g.command("contacts", "status"); status != 3 || strings.Contains(out, "paused") {
		t.Errorf("contacts status: %d\n%s", status, out)
	}
}
