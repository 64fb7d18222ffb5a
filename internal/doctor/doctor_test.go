package doctor

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

const (
	poolHost   = "cognito-idp.eu-west-1.amazonaws.com"
	loginHost  = "login.auth.eu-west-1.amazoncognito.com"
	originHost = "4711.sites-proxy.hscoscdn10.net"
	publicHost = "www.example.com"
)

func TestHealthyConfigurationHasNoFindings(t *testing.T) {
	t.Parallel()
	d, _ := healthy(pool(t))
	for _, f := range d.diagnose(t.Context()) {
		if f.Status != setting.OK && f.Part != "redis" { // which is embedded
			t.Errorf("%+v", f)
		}
	}
}

// fault breaks one part of a healthy configuration or of its network.
type fault func(d *doctor, n network)

const (
	discovery, client = "provider: discovery", "provider: client"
	origin            = "origin for " + publicHost
	gateway, dns      = "gateway at " + publicHost, "dns of " + publicHost
	properties        = "hubspot properties"
)

// faultCase is a fault, and a finding that it must cause.
type faultCase struct {
	fault                       fault
	part, status, detail, where string // detail and where are parts of the finding's
}

var providerFaults = map[string]faultCase{
	"provider unreachable": {
		unreachable(poolHost), discovery, setting.Failed, "is unreachable", "auth.user_pool",
	},
	"wrong pool": {
		responding(poolHost, 400, `{"message":"User pool does not exist"}`),
		discovery, setting.Failed, "status 400; no such user pool", "auth.user_pool",
	},
	"no pool": {
		responding(poolHost, 404, ""), discovery, setting.Failed, "no such user pool", "auth.user_pool",
	},
	"provider failing": {responding(poolHost, 503, ""), discovery, setting.Failed, "status 503", "auth.user_pool"},
	"no document": {
		responding(poolHost, 200, "<html>"), discovery, setting.Failed, "without a discovery document", "auth.user_pool",
	},
	"other issuer": {
		responding(poolHost, 200, `{"issuer":"https://x.example"}`),
		discovery, setting.Failed, "https://x.example", "auth.user_pool",
	},
	"no domain": {withoutDomain, discovery, setting.Failed, "has no domain", "Cognito console: Branding, Domain"},
	"no keys": {
		serving(poolHost, "/jwks.json", responds(200, `{"keys":[]}`)),
		"provider: keys", setting.Failed, "no usable signing key", "provider",
	},
	"unknown client": {
		func(d *doctor, _ network) { d.cfg.Auth.ClientID = "other" },
		client, setting.Failed, "does not know the client other", "auth.client_id",
	},
	"wrong secret": {
		func(d *doctor, _ network) { d.cfg.Auth.ClientSecret = "old" },
		client, setting.Failed, "rejects its secret", "auth.client_secret",
	},
	"missing secret": {
		func(d *doctor, _ network) { d.cfg.Auth.ClientSecret, d.cfg.Auth.ClientAuth = "", "none" },
		client, setting.Failed, "rejects its secret", "auth.client_secret",
	},
	"needless secret": {
		serving(loginHost, "/oauth2/token", accepting(func(r *http.Request) bool { return !hasSecret(r) })),
		client, setting.Failed, "has no secret at the provider", "auth.client_auth",
	},
	"secret in the body": {
		serving(loginHost, "/oauth2/token", accepting(func(r *http.Request) bool {
			return r.PostFormValue("client_secret") != ""
		})),
		client, setting.Failed, "accepts body", "auth.client_auth",
	},
	"no code flow": {
		serving(loginHost, "/oauth2/token", tokenError("unauthorized_client")),
		client, setting.Failed, "grant is not allowed", "Cognito console",
	},
	"no token response": {
		serving(loginHost, "/oauth2/token", responds(502, "bad gateway")),
		client, setting.Warning, "502", "provider",
	},
	"callback": {
		func(d *doctor, _ network) { d.cfg.Server.PublicURLs = []string{"https://other.example.com"} },
		"provider: callback", setting.Failed,
		"https://other.example.com/oauth2/callback is not registered", "Allowed callback URLs",
	},
	"logout": {
		func(d *doctor, _ network) { d.cfg.Server.PublicURLs = []string{"https://other.example.com"} },
		"provider: logout", setting.Failed,
		"https://other.example.com/oauth2/signed_out is not registered", "Allowed sign-out URLs",
	},
	"scope": {
		serving(loginHost, "/oauth2/authorize", authorizeError("invalid_scope")),
		"provider: callback", setting.Failed, "invalid_scope", "Login pages",
	},
}

var hubspotFaults = map[string]faultCase{
	"unknown token": {
		func(d *doctor, _ network) { d.cfg.HubSpot.AccessToken = "pat-na1-y" },
		"hubspot", setting.Failed, "does not accept the access token", "hubspot.access_token",
	},
	"no write scope": {
		scopes("crm.objects.contacts.read", "crm.schemas.contacts.read"),
		"hubspot scopes", setting.Failed, "lacks crm.objects.contacts.write", "Service keys",
	},
	"no read scope": {
		scopes("crm.objects.contacts.write", "crm.schemas.contacts.read"),
		"hubspot scopes", setting.Failed, "lacks crm.objects.contacts.read", "Service keys",
	},
	"no schema scope": {
		scopes("crm.objects.contacts.write"),
		"hubspot scopes", setting.Failed, "lacks crm.schemas.contacts.read", "Service keys",
	},
	"no property": {
		mapped("tier", mapping.Property{Claim: "tier"}), properties, setting.Failed,
		"HubSpot has no property tier", "hubspot.contacts.properties.tier",
	},
	"wrong type": {
		booleanProperty("firstname", mapping.Property{Value: "login_count"}),
		properties, setting.Failed, "its type is", "hubspot.contacts.properties",
	},
	"another account": {
		func(_ *doctor, n network) {
			n["api.hubapi.com"] = fakehubspot.New(
				fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 4712, Token: "pat-na1-x"},
			)
		},
		"hubspot account", setting.Failed, "account 4712", "hubspot.hub_id",
	},
	"HubSpot unreachable": {
		unreachable("api.hubapi.com"), "hubspot", setting.Failed,
		"HubSpot's API cannot be reached: connection refused", "network, hubspot.api_url",
	},
	"no HubSpot API": {
		responding("api.hubapi.com", 404, ""), "hubspot", setting.Failed, "404", "hubspot.api_version",
	},
	"no sync": {
		func(d *doctor, _ network) { d.cfg.HubSpot.AccessToken = "" },
		"hubspot", setting.Warning, "sync is off", "hubspot.access_token",
	},
}

var originFaults = map[string]faultCase{
	"other account's origin": {
		func(_ *doctor, n network) { n[originHost] = fakesite.New(fakesite.Config{HubID: 99}) },
		origin, setting.Failed, "account 99 responds, but 4711 is configured", "proxy.origin",
	},
	"domain not connected": {
		func(_ *doctor, n network) {
			n[originHost] = fakesite.New(fakesite.Config{HubID: 4711, PublicHost: "else.example.com"})
		},
		origin, setting.Failed, "does not know " + publicHost, "Domains & URLs",
	},
	"challenge": {
		responding(originHost, 403, "<script>", "Content-Type", "text/html", "Cf-Mitigated", "challenge"),
		origin, setting.Warning, "challenge", "network",
	},
	"rate limit":         {responding(originHost, 429, ""), origin, setting.Warning, "429", "network"},
	"origin failing":     {responding(originHost, 500, ""), origin, setting.Failed, "500", "HubSpot"},
	"origin unreachable": {unreachable(originHost), origin, setting.Failed, "refused", "proxy.origin"},
}

var siteFaults = map[string]faultCase{
	"no name": {alias("", errors.New("no such host")), dns, setting.Failed, "cannot be resolved", "DNS of"},
	"name of HubSpot": {
		alias("4711.group11.sites.hubspot.net", nil), dns, setting.Failed, "points at HubSpot", "DNS of",
	},
	"HubSpot responds": {
		responding(publicHost, 404, "", "X-Hs-Portal-Id", "4711"),
		gateway, setting.Failed, "HubSpot responds there", "DNS of",
	},
	"another server responds": {
		responding(publicHost, 200, "hi"), gateway, setting.Failed, "something else", "DNS of",
	},
	"no gateway": {unreachable(publicHost), gateway, setting.Warning, "no response", "DNS of"},
	"clock behind": {
		func(d *doctor, _ network) { d.now = func() time.Time { return time.Now().Add(-20 * time.Second) } },
		"clock", setting.Warning, "behind", "this machine",
	},
	"clock far ahead": {
		func(d *doctor, _ network) { d.now = func() time.Time { return time.Now().Add(5 * time.Minute) } },
		"clock", setting.Failed, "ahead", "this machine",
	},
}

func TestFindingNamesTheFaultItsCureAndItsPlace(t *testing.T) {
	t.Parallel()
	idp, login := pool(t)
	for _, cases := range []map[string]faultCase{
		providerFaults, hubspotFaults, formFaults, accessFaults, listFaults, originFaults, siteFaults,
	} {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d, n := healthy(idp, login)
				c.fault(d, n)
				c.check(t, d.diagnose(t.Context()))
			})
		}
	}
}

// check fails the test if no finding names the fault.
func (c faultCase) check(t *testing.T, all []setting.Finding) {
	t.Helper()
	for _, f := range all {
		if f.Part == c.part && f.Status == c.status && strings.Contains(f.Detail, c.detail) &&
			strings.Contains(f.Where, c.where) && f.Cure != "" {
			return
		}
	}
	t.Errorf("not found: %+v", all)
}
