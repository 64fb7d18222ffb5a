package demo

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth/fakecognito"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/proxy/fakesite"
)

// demoWorld is what the demo's gateway meets: a provider, a HubSpot site and HubSpot's API, with secrets made for this run.
type demoWorld struct {
	base    int
	secrets map[string]string // file -> secret: the configuration names the files
}

const (
	demoPool   = "us-east-1_DEMO12345"
	demoClient = "demo-client"
)

func newDemoWorld(base int) *demoWorld {
	return &demoWorld{base: base, secrets: map[string]string{
		"client_secret": rand.Text(), "access_token": "pat-na1-" + rand.Text(), "admin_token": rand.Text(), "session_key": seal.NewKey(),
	}}
}

func (d *demoWorld) gatewayURL() string  { return fmt.Sprintf("http://localhost:%d", d.base) }
func (d *demoWorld) providerURL() string { return fmt.Sprintf("http://127.0.0.1:%d", d.base+1) }
func (d *demoWorld) hubspotURL() string  { return fmt.Sprintf("http://127.0.0.1:%d", d.base+2) }
func (d *demoWorld) adminURL() string    { return fmt.Sprintf("http://127.0.0.1:%d", d.base+3) }

// listen starts the provider and HubSpot.
func (d *demoWorld) listen() ([]fake, error) {
	cognito, err := fakecognito.New(fakecognito.Config{
		URL: d.providerURL(), PoolID: demoPool, Rotate: true, RotationGrace: time.Minute,
		Clients: []fakecognito.Client{{
			ID: demoClient, Secret: d.secrets["client_secret"],
			CallbackURLs: []string{d.gatewayURL() + "/oauth2/callback"}, LogoutURLs: []string{d.gatewayURL() + "/oauth2/signed_out"},
		}},
	})
	if err != nil {
		return nil, err
	}
	provider, err := listenFake(d.base+1, cognito)
	if err != nil {
		return nil, err
	}
	hubspot, err := listenFake(d.base+2, d.hubspot())
	if err != nil {
		provider.listener.Close()
		return nil, err
	}
	return []fake{provider, hubspot}, nil
}

// hubspot is the site and the API on one port, told apart by the path as HubSpot's hosts would be by name.
func (d *demoWorld) hubspot() http.Handler {
	api := fakehubspot.New(fakehubspot.Config{Token: d.secrets["access_token"]})
	site := fakesite.New(fakesite.Config{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-HS-Public-Host") != "" {
			site.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// write puts the configuration and its secrets into a folder, as an operator would.
func (d *demoWorld) write(folder string) (path string, err error) {
	for name, secret := range d.secrets {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(secret+"\n"), 0o600); err != nil {
			return "", err
		}
	}
	path = filepath.Join(folder, "hubgate.yaml")
	return path, os.WriteFile(path, []byte(d.yaml()), 0o600)
}

// yaml is the demo's configuration: a file like any other, watched while the demo runs.
func (d *demoWorld) yaml() string {
	return strings.NewReplacer(
		"{gateway}", d.gatewayURL(), "{provider}", d.providerURL(), "{hubspot}", d.hubspotURL(),
		"{listen}", fmt.Sprintf("127.0.0.1:%d", d.base), "{admin}", fmt.Sprintf("127.0.0.1:%d", d.base+3),
		"{pool}", demoPool, "{client}", demoClient,
	).Replace(demoYAML)
}

const demoYAML = `# The demo's configuration. Change a rule, save, and reload the page: no restart is needed.
version: 1

server:
  public_urls: ["{gateway}"]
  listen: "{listen}"
  admin_listen: "{admin}"
  admin_token: ${file:admin_token}
  drain_delay: 0s
  drain_timeout: 1s

proxy:
  origin: "{hubspot}"
  default: public
  rules:
    - path: /members/**              # anybody who is logged in
    - path: /partners/**
      groups: [partner]              # alice is a partner, bob is not

auth:
  issuer: "{provider}/{pool}"
  client_id: "{client}"
  client_secret: ${file:client_secret}
  logout: cognito
  admin_groups: [partner]

session:
  keys: ["${file:session_key}"]
  redis:
    mode: embedded

hubspot:
  access_token: ${file:access_token}
  api_url: "{hubspot}"
  contacts:
    min_interval: 0s
    properties:
      firstname: given_name
      lastname: family_name
      portal_groups: "cognito:groups"
      last_portal_login: {value: login_time}
      portal_logins: {value: login_count}

pages:
  site_name: Northwind Bicycles
`

// welcome tells what to open, as whom to log in and what to watch.
func (d *demoWorld) welcome(path string) string {
	return fmt.Sprintf(`
hubgate demo

  Open              %[1]s/
  For members       %[1]s/members/      needs a login
  For partners      %[1]s/partners/     needs the group partner: alice passes, bob gets 403

  Log in as         alice@example.com / demo   groups members, partner
                    bob@example.com   / demo   no group

  Contacts          %[2]s/contacts   what the logins wrote into the fake HubSpot; e-mails in the clear
  My session        %[1]s/oauth2/session
  Test the login    %[1]s/oauth2/test        for alice
  Health, metrics   %[3]s/readyz  %[3]s/metrics
  Admin token       %[4]s

  Configuration     %[5]s
                    add a rule, save, reload the page: it is gated

Everything lives in this process and is gone when it ends. Ctrl-C stops it.

`, d.gatewayURL(), d.hubspotURL(), d.adminURL(), d.secrets["admin_token"], path)
}
