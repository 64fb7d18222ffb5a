package gateway

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/session"
)

const (
	ada, bob, eve = "ada@example.com", "bob@example.com", "eve@example.com"
	notMember     = "isn’t on any of the lists"
	notKnown      = "whether you have access"
)

func TestMembersEnterByList(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold;silver", "1234")
	s.person(bob, "bronze", "5678")
	for _, email := range []string{ada, bob, eve} { // HubSpot has no contact of eve
		s.login(email, nil)
	}
	s.want(ada, "/customers/", 200, "the page of /customers/")
	s.want(bob, "/customers/", 403, notMember)
	s.want(eve, "/customers/", 403, notMember)
	s.want(ada, "/gold/", 200, "the page of")
	s.want(bob, "/gold/", 403, "details that we have about you")
	s.want("", "/customers/", 401, "log in")
}

// Visitors of other pages must not depend on HubSpot, nor cost calls.
func TestOtherPagesNeverAskHubSpot(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.down.Store(true)
	s.login(ada, nil)
	for _, target := range []string{
		"/pricing", "/login/", "/oauth2/session", "/oauth2/auth", "/oauth2/auth?path=/login/",
	} {
		for _, email := range []string{ada, ""} {
			if status, _ := s.open(email, target); status == 503 {
				s.t.Errorf("%s as %q: %d", target, email, status)
			}
		}
	}
	s.want("", "/customers/", 401, "log in")
	if n := s.calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestOutageOfHubSpotKeepsKnownMembersUpToMaxStale(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold", "1234")
	s.person(bob, "gold", "1234")
	s.login(ada, nil)
	s.login(bob, nil)
	s.want(ada, "/customers/", 200, "")
	s.down.Store(true)
	s.want(bob, "/customers/", 503, notKnown)
	s.pass(3 * time.Hour)
	s.want(ada, "/customers/", 200, "")
	s.want(ada, "/login/", 200, "")
	ready := httptest.NewRecorder()
	s.adminServer(s.current.Load().cfg.Server).Handler.ServeHTTP(ready,
		httptest.NewRequest("GET", "http://127.0.0.1:9090/readyz", nil))
	if ready.Code != 200 || !strings.Contains(ready.Body.String(), `"hubspot_access"`) {
		t.Errorf("%d %s", ready.Code, ready.Body)
	}
	s.pass(time.Hour)
	s.want(ada, "/customers/", 503, notKnown)
	s.want(ada, "/login/", 200, "")
	s.down.Store(false)
	eventually(t, "members get in again", func() bool {
		status, _ := s.open(bob, "/customers/")
		return status == 200
	})
	if check, failed := s.health().Checks["hubspot_access"]; failed {
		t.Errorf("afterwards: %+v", check)
	}
}

func TestReloadThatPointsListToAnotherIDUsesNothingOld(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold", "1234")
	s.hubspot.AddList(fakehubspot.List{ID: "91011", Name: "New customers"})
	s.person(bob, "gold", "5678", "91011")
	s.login(ada, nil)
	s.login(bob, nil)
	s.want(ada, "/customers/", 200, "")
	s.want(bob, "/customers/", 403, notMember)
	s.edit("{customers: 1234, beta: 5678}", "{customers: 5678, beta: 1234}")
	s.reloader.reload(true)
	s.want(ada, "/customers/", 403, notMember)
	s.want(bob, "/customers/", 200, "")
	s.edit("{customers: 1234, beta: 5678}", "{customers: 91011}") // HubSpot was not asked about it
	s.reloader.reload(true)
	s.want(bob, "/customers/", 200, "")
	s.want(ada, "/customers/", 403, notMember)
	s.down.Store(true)
	s.edit("{customers: 1234, beta: 5678}", "{customers: 121314}")
	s.reloader.reload(true)
	s.want(bob, "/customers/", 503, notKnown)
}

func TestOnlyVerifiedAddressesFindTheirContact(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold", "1234")
	s.login(ada, func(s *session.Session) { s.EmailVerified = false })
	s.want(ada, "/customers/", 403, "address isn’t verified")
	s.want(ada, "/gold/", 403, "address isn’t verified")
	s.want(ada, "/login/", 200, "")
	if n := s.calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// A user may be able to choose claims, such as attributes that the app client may write.
func TestForgedClaimsOpenNothing(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(eve, "bronze")
	s.login(eve, func(s *session.Session) {
		s.Claims = map[string]any{
			"hubspot.member_tier": "gold", "hubspot": map[string]any{"member_tier": "gold"}, "member_tier": "gold",
			"lists": []any{"customers", "1234"},
		}
		s.Groups = []string{"customers"}
		s.CRM = &session.CRM{
			Contact: true, Lists: map[string]bool{"1234": true}, Properties: map[string][]string{"member_tier": {"gold"}},
			ReadAt: time.Now(), UsableUntil: time.Now().Add(time.Hour),
		}
	})
	s.want(eve, "/customers/", 403, notMember)
	s.want(eve, "/gold/", 403, "details that we have about you")
}
