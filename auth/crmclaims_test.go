package auth

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/session"
)

// crmNames are names under which rules read what HubSpot said; similar ones are not.
var crmNames = []string{"hubspot", "hubspot.member_tier", "HubSpot.Member_Tier"}

// addCRMClaims adds claims as a person could who may set attributes at the provider.
func addCRMClaims(claims map[string]any) {
	for _, name := range crmNames {
		claims[name] = "gold"
	}
	claims["hubspot"] = map[string]any{"member_tier": "gold"}
	claims["hubspot_id"], claims["my.hubspot"] = "kept", "kept"
}

// checkCRMClaims checks that the claims of a session lack what addCRMClaims adds, except the similar names.
func checkCRMClaims(t *testing.T, claims map[string]any) {
	t.Helper()
	for _, name := range crmNames {
		if v, found := claims[name]; found {
			t.Errorf("%s: %v", name, v)
		}
	}
	if claims["hubspot_id"] != "kept" || claims["my.hubspot"] != "kept" {
		t.Errorf("%v lacks claims of similar names", claims)
	}
}

// sessionOf returns the session of a browser.
func (w *world) sessionOf(b *browser) *session.Session {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, w.gateway.URL+"/members/", nil)
	for _, c := range b.jar.Cookies(mustParse(w.t, w.gateway.URL)) {
		r.AddCookie(c)
	}
	site, _ := inbound.ParseSite(w.gateway.URL)
	s, err := w.sessions.Load(httptest.NewRecorder(), inbound.New(inbound.Config{Sites: []*inbound.Site{site}}).Resolve(r))
	w.must(err)
	return s
}

func TestClaimsNamedHubSpotAreDropped(t *testing.T) {
	t.Parallel()
	for source, set := range map[string]func(*issuerOf, *Config){
		"ID token": func(p *issuerOf, _ *Config) { p.claims = addCRMClaims },
		"UserInfo": func(p *issuerOf, cfg *Config) { p.profile, cfg.ClaimsFromUserinfo = addCRMClaims, true },
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			w := newWorld(t, func(w *world) {
				w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "local", "groups"
				set(p, &w.cfg)
			})
			for range 3 {
				b := w.browser()
				if got := w.finishIn(b, p); got.StatusCode != http.StatusFound {
					t.Fatal(got.StatusCode)
				}
				s := w.sessionOf(b)
				checkCRMClaims(t, s.Claims)
				if s.CRM != nil {
					t.Errorf("%+v", s.CRM)
				}
			}
			for _, name := range crmNames {
				log := w.log.String()
				if strings.Count(log, " claim="+name+" ") != 1 || strings.Contains(log, "gold") {
					t.Errorf("%s is not logged once:\n%s", name, log)
				}
			}
		})
	}
}

func TestClaimsNamedHubSpotAreDroppedAtRefresh(t *testing.T) {
	t.Parallel()
	for _, userinfo := range []bool{false, true} {
		p := newIssuer(t)
		if p.profile = addCRMClaims; !userinfo {
			p.claims, p.profile = addCRMClaims, nil
		}
		cfg := DefaultConfig()
		cfg.Issuer, cfg.ClientID, cfg.ClientAuth, cfg.ClaimsFromUserinfo = p.URL, "client", "none", userinfo
		provider, err := openid.New(cfg.OpenID(), openid.Deps{
			Client: providerClient(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, user, err := provider.Refresh(t.Context(), "refresh token")
		if err != nil {
			t.Fatal(err)
		}
		checkCRMClaims(t, user.Claims)
	}
}

// TestRefreshWithClaimsNamedHubSpotChangesNothing checks that a session means the same to rules after a refresh at
// which the provider sends such claims for the first time.
func TestRefreshWithClaimsNamedHubSpotChangesNothing(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "local", "groups"
	})
	p.granted = func(response map[string]any) { response["refresh_token"] = "r" }
	p.claims = func(claims map[string]any) { claims["hubspot_id"], claims["my.hubspot"] = "kept", "kept" }
	b := w.browser()
	if got := w.finishIn(b, p); got.StatusCode != http.StatusFound {
		t.Fatal(got.StatusCode)
	}
	before := w.sessionOf(b)
	p.claims = func(claims map[string]any) {
		addCRMClaims(claims)
		claims["nickname"] = "refreshed"
	}
	w.pass(59*time.Minute + 30*time.Second)
	after := w.sessionOf(b)
	if before == after || after.Claims["nickname"] != "refreshed" {
		t.Fatalf("not refreshed: %v", after.Claims)
	}
	checkCRMClaims(t, before.Claims)
	checkCRMClaims(t, after.Claims)
	if before.CRM != nil || after.CRM != nil {
		t.Errorf("%+v, then %+v", before.CRM, after.CRM)
	}
}
