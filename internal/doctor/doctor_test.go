package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

const (
	poolHost   = "cognito-idp.eu-west-1.amazonaws.com"
	loginHost  = "login.auth.eu-west-1.amazoncognito.com"
	originHost = "4711.sites-proxy.hscoscdn10.net"
	publicHost = "www.example.com"
)

func TestAHealthyConfigurationHasNothingWrong(t *testing.T) {
	t.Parallel()
	d, _ := patient(pool(t))
	for _, f := range d.Diagnose(t.Context()) {
		if f.Status != setting.OK && f.Part != "redis" {
			t.Errorf("%+v", f)
		}
	}
}

func TestEveryFaultIsToldApartWithItsCureAndItsPlace(t *testing.T) {
	t.Parallel()
	idp, login := pool(t)
	for name, c := range map[string]struct {
		harm   func(*testing.T, *doctor, network)
		part   string
		status string
		says   string
		where  string
	}{
		"provider away": {func(_ *testing.T, _ *doctor, w network) { delete(w, poolHost) }, "provider: discovery", setting.Failed, "is unreachable", "auth.user_pool"},
		"wrong pool": {func(_ *testing.T, _ *doctor, w network) {
			w[poolHost] = answers(400, `{"message":"User pool does not exist"}`)
		}, "provider: discovery", setting.Failed, "status 400; no such user pool", "auth.user_pool"},
		"no pool":         {func(_ *testing.T, _ *doctor, w network) { w[poolHost] = answers(404, "") }, "provider: discovery", setting.Failed, "no such user pool", "auth.user_pool"},
		"provider broken": {func(_ *testing.T, _ *doctor, w network) { w[poolHost] = answers(503, "") }, "provider: discovery", setting.Failed, "status 503", "auth.user_pool"},
		"no document":     {func(_ *testing.T, _ *doctor, w network) { w[poolHost] = answers(200, "<html>") }, "provider: discovery", setting.Failed, "without a discovery document", "auth.user_pool"},
		"other issuer":    {func(_ *testing.T, _ *doctor, w network) { w[poolHost] = answers(200, `{"issuer":"https://x.example"}`) }, "provider: discovery", setting.Failed, "issuer mismatch", "auth.user_pool"},
		"no domain":       {withoutDomain, "provider: discovery", setting.Failed, "has no domain", "Cognito console: Branding, Domain"},
		"no keys": {func(_ *testing.T, _ *doctor, w network) {
			w[poolHost] = only("/jwks.json", answers(200, `{"keys":[]}`), w[poolHost])
		}, "provider: keys", setting.Failed, "no usable signing key", "provider"},
		"client unknown":  {func(_ *testing.T, d *doctor, _ network) { d.cfg.Auth.ClientID = "other" }, "provider: client", setting.Failed, "does not know the client other", "auth.client_id"},
		"secret wrong":    {func(_ *testing.T, d *doctor, _ network) { d.cfg.Auth.ClientSecret = "old" }, "provider: client", setting.Failed, "rejects its secret", "auth.client_secret"},
		"no secret given": {func(_ *testing.T, d *doctor, _ network) { d.cfg.Auth.ClientSecret, d.cfg.Auth.ClientAuth = "", "none" }, "provider: client", setting.Failed, "rejects its secret", "auth.client_secret"},
		"secret not asked": {func(t *testing.T, d *doctor, w network) {
			w[loginHost] = only("/oauth2/token", byWay(func(r *http.Request) bool { return !hasSecret(r) }), w[loginHost])
		}, "provider: client", setting.Failed, "has no secret at the provider", "auth.client_auth"},
		"by body only": {func(t *testing.T, d *doctor, w network) {
			w[loginHost] = only("/oauth2/token", byWay(func(r *http.Request) bool { return r.PostFormValue("client_secret") != "" }), w[loginHost])
		}, "provider: client", setting.Failed, "accepts body", "auth.client_auth"},
		"no code flow": {func(_ *testing.T, d *doctor, w network) {
			w[loginHost] = only("/oauth2/token", token("unauthorized_client"), w[loginHost])
		}, "provider: client", setting.Failed, "grant is not allowed", "Cognito console"},
		"no token answer": {func(_ *testing.T, d *doctor, w network) {
			w[loginHost] = only("/oauth2/token", answers(502, "bad gateway"), w[loginHost])
		}, "provider: client", setting.Warning, "502", "provider"},
		"callback": {func(_ *testing.T, d *doctor, _ network) {
			d.cfg.Server.PublicURLs = []string{"https://other.example.com"}
		}, "provider: callback", setting.Failed, "https://other.example.com/oauth2/callback is not registered", "Allowed callback URLs"},
		"logout": {func(_ *testing.T, d *doctor, _ network) {
			d.cfg.Server.PublicURLs = []string{"https://other.example.com"}
		}, "provider: logout", setting.Failed, "https://other.example.com/oauth2/signed_out is not registered", "Allowed sign-out URLs"},
		"scope": {func(_ *testing.T, d *doctor, w network) {
			w[loginHost] = only("/oauth2/authorize", backWith("invalid_scope"), w[loginHost])
		}, "provider: callback", setting.Failed, "invalid_scope", "Login pages"},
		"token of nobody": {func(_ *testing.T, d *doctor, _ network) { d.cfg.HubSpot.AccessToken = "pat-na1-y" }, "hubspot", setting.Failed, "does not accept the access token", "hubspot.access_token"},
		"no write scope":  {scopes("crm.objects.contacts.read", "crm.schemas.contacts.read"), "hubspot scopes", setting.Failed, "lacks crm.objects.contacts.write", "Service keys"},
		"no read scope":   {scopes("crm.objects.contacts.write", "crm.schemas.contacts.read"), "hubspot scopes", setting.Failed, "lacks crm.objects.contacts.read", "Service keys"},
		"no schema scope": {scopes("crm.objects.contacts.write", "crm.objects.contacts.read"), "hubspot scopes", setting.Failed, "lacks crm.schemas.contacts.read", "Service keys"},
		"no property":     {mapped("tier", hubspot.PropertyConfig{Claim: "tier"}), "hubspot properties", setting.Failed, "HubSpot has no property tier", "hubspot.contacts.properties.tier"},
		"wrong type":      {mapped("firstname", hubspot.PropertyConfig{Value: "login_count"}, "number"), "hubspot properties", setting.Failed, "its type is", "hubspot.contacts.properties"},
		"another account": {func(_ *testing.T, d *doctor, w network) {
			w["api.hubapi.com"] = fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 4712, Token: "pat-na1-x"})
		}, "hubspot account", setting.Failed, "account 4712", "hubspot.hub_id"},
		"HubSpot away": {func(_ *testing.T, d *doctor, w network) { w["api.hubapi.com"] = answers(404, "") }, "hubspot", setting.Failed, "404", "hubspot.api_version"},
		"no sync":      {func(_ *testing.T, d *doctor, w network) { d.cfg.HubSpot.AccessToken = "" }, "hubspot", setting.Warning, "sync is off", "hubspot.access_token"},
		"other portal": {func(_ *testing.T, _ *doctor, w network) { w[originHost] = fakesite.New(fakesite.Config{HubID: 99}) }, "origin for " + publicHost, setting.Failed, "account 99 answers, but 4711 is meant", "proxy.origin"},
		"not connected": {func(_ *testing.T, _ *doctor, w network) {
			w[originHost] = fakesite.New(fakesite.Config{HubID: 4711, PublicHost: "else.example.com"})
		}, "origin for " + publicHost, setting.Failed, "does not know " + publicHost, "Domains & URLs"},
		"challenged": {func(_ *testing.T, _ *doctor, w network) {
			w[originHost] = answers(403, "<script>", "Content-Type", "text/html", "Cf-Mitigated", "challenge")
		}, "origin for " + publicHost, setting.Warning, "challenge", "network"},
		"limited":          {func(_ *testing.T, _ *doctor, w network) { w[originHost] = answers(429, "") }, "origin for " + publicHost, setting.Warning, "429", "network"},
		"origin broken":    {func(_ *testing.T, _ *doctor, w network) { w[originHost] = answers(500, "") }, "origin for " + publicHost, setting.Failed, "500", "HubSpot"},
		"origin away":      {func(_ *testing.T, _ *doctor, w network) { delete(w, originHost) }, "origin for " + publicHost, setting.Failed, "refused", "proxy.origin"},
		"no name":          {alias("", errors.New("no such host")), "dns of " + publicHost, setting.Failed, "cannot be resolved", "DNS of"},
		"still HubSpot":    {alias("4711.group11.sites.hubspot.net", nil), "dns of " + publicHost, setting.Failed, "points at HubSpot", "DNS of"},
		"HubSpot answers":  {func(_ *testing.T, _ *doctor, w network) { w[publicHost] = answers(404, "", "X-Hs-Portal-Id", "4711") }, "gateway at " + publicHost, setting.Failed, "HubSpot answers there", "DNS of"},
		"stranger answers": {func(_ *testing.T, _ *doctor, w network) { w[publicHost] = answers(200, "hi") }, "gateway at " + publicHost, setting.Failed, "something else", "DNS of"},
		"nobody answers":   {func(_ *testing.T, _ *doctor, w network) { delete(w, publicHost) }, "gateway at " + publicHost, setting.Warning, "no answer", "DNS of"},
		"clock behind": {func(_ *testing.T, d *doctor, _ network) {
			d.now = func() time.Time { return time.Now().Add(-20 * time.Second) }
		}, "clock", setting.Warning, "behind", "this machine"},
		"clock far ahead": {func(_ *testing.T, d *doctor, _ network) {
			d.now = func() time.Time { return time.Now().Add(5 * time.Minute) }
		}, "clock", setting.Failed, "ahead", "this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, world := patient(idp, login)
			c.harm(t, d, world)
			all := d.Diagnose(t.Context())
			for _, f := range all {
				if f.Part == c.part && f.Status == c.status && strings.Contains(f.Detail, c.says) && strings.Contains(f.Where, c.where) && f.Cure != "" {
					return
				}
			}
			t.Errorf("not told: %+v", all)
		})
	}
}

func withoutDomain(_ *testing.T, _ *doctor, w network) {
	issuer := "https://" + poolHost + "/eu-west-1_AbCdEf123"
	w[poolHost] = answers(200, `{"issuer":"`+issuer+`","authorization_endpoint":"`+issuer+`/a","token_endpoint":"`+issuer+`/t","jwks_uri":"`+issuer+`/k"}`)
}

func hasSecret(r *http.Request) bool {
	_, _, basic := r.BasicAuth()
	return basic || r.PostFormValue("client_secret") != ""
}

// byWay is a token endpoint that takes the client only one way.
func byWay(right func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := "invalid_client"
		if right(r) {
			code = "invalid_grant"
		}
		token(code).ServeHTTP(w, r)
	})
}

func backWith(code string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+url.Values{"error": {code}}.Encode(), http.StatusFound)
	})
}

func scopes(list ...string) func(*testing.T, *doctor, network) {
	return func(_ *testing.T, _ *doctor, w network) {
		w["api.hubapi.com"] = fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 4711, Token: "pat-na1-x", Scopes: list})
	}
}

// mapped maps a property; types are what HubSpot says instead of the property's own.
func mapped(name string, p hubspot.PropertyConfig, types ...string) func(*testing.T, *doctor, network) {
	return func(_ *testing.T, d *doctor, w network) {
		d.cfg.HubSpot.Contacts.Properties = map[string]hubspot.PropertyConfig{name: p}
		if len(types) > 0 {
			w["api.hubapi.com"] = only("/properties/2026-09/contacts", answers(200, `{"results":[{"name":"`+name+`","type":"bool","fieldType":"booleancheckbox"}]}`), w["api.hubapi.com"])
		}
	}
}

func alias(to string, err error) func(*testing.T, *doctor, network) {
	return func(_ *testing.T, d *doctor, _ network) {
		d.lookup = func(context.Context, string) (string, []string, error) { return to, []string{"203.0.113.5"}, err }
	}
}

func TestACertificateIsToldToBeWrongForItsReason(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		host   string
		from   time.Time
		to     time.Time
		status string
		says   string
	}{
		"other name": {"else.example.com", now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), setting.Failed, "for else.example.com, not for " + publicHost},
		"ended":      {publicHost, now.Add(-48 * time.Hour), now.Add(-24 * time.Hour), setting.Failed, "ended on"},
		"not begun":  {publicHost, now.Add(24 * time.Hour), now.Add(48 * time.Hour), setting.Failed, "begins on"},
		"self-made":  {publicHost, now.Add(-time.Hour), now.Add(90 * 24 * time.Hour), setting.Failed, "no authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := patient(nil, nil)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificateFor(t, c.host, c.from, c.to)}}
			server.StartTLS()
			t.Cleanup(server.Close)
			d.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
			}
			for _, f := range d.askSites(t.Context()) {
				if f.Part == "certificate of "+publicHost && f.Status == c.status && strings.Contains(f.Detail, c.says) && f.Cure != "" && f.Where != "" {
					return
				}
			}
			t.Errorf("%+v", d.askSites(t.Context()))
		})
	}
}

func certificateFor(t *testing.T, host string, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
