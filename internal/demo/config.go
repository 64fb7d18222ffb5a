package demo

import (
	"fmt"
	"strconv"
	"strings"
)

// yaml returns the configuration. The gateway watches its file, so that visitors of the demo can change it.
func (s *setup) yaml() string {
	return strings.NewReplacer(
		"{gateway}", s.gatewayURL(), "{provider}", s.providerURL(), "{hubspot}", s.hubspotURL(),
		"{port}", strconv.Itoa(s.Base), "{listen}", s.listenAt(s.Base).String(), "{admin}", s.adminListen(),
		"{pool}", poolID, "{client}", clientID, "{list}", customersList,
	).Replace(configYAML)
}

const configYAML = `# The configuration of the demo. Change a rule, save, and reload the page: no restart is needed.
version: 1

server:
  public_urls: ["{gateway}"]
  redirect_from: {"localhost:{port}": ["127.0.0.1:{port}", "[::1]:{port}"]}
  listen: "{listen}"
  admin_listen: "{admin}"
  admin_token: ${file:admin_token}
  drain_delay: 0s
  drain_timeout: 1s
  limits: {connections: 500}

proxy:
  origin: "{hubspot}"
  default: public
  rules:
    - path: [/members/**, /hubfs/members/**]    # everyone who is logged in; files have addresses of their own
    - path: /members/join                       # an exception: everyone may read how to join
      access: public
    - path: [/partners/**, /hubfs/partners/**]
      groups: [partner]                         # alice is a partner, bob is not
    - path: /customers/**
      lists: [customers]                        # bob's contact is in this HubSpot list, alice's is not
    - path: /gold/**
      claims: {hubspot.member_tier: [gold]}     # a property of the contact

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
      cognito_sub: sub               # unique: finds the contact when the e-mail address has changed
      firstname: given_name
      lastname: family_name
      portal_groups: "cognito:groups"
      last_portal_login: {value: login_time}
      portal_logins: {value: login_count}
  access:                            # what rules may ask HubSpot about visitors
    lists: {customers: {list}}
    properties: [member_tier]
    refresh: 1m                      # 15m by default

pages:                               # hubgate's own pages look like the site
  site_name: Northwind Bicycles
  logo: /hubfs/logo.svg
  accent: "#0f766e"                  # the color of the site's links and buttons,
  accent_dark: "#5eead4"             # and in its dark theme
  support: mailto:workshop@northwind.example

log:
  email: full                        # the people of the demo are invented
`

// welcome returns what the demo prints: what to open, whom to log in as, and where to look.
func (s *setup) welcome(path string) string {
	return fmt.Sprintf(`
hubgate demo

  Open              %[1]s/
  For members       %[1]s/members/      needs a login, as does the file /hubfs/members/handbook.txt
  For partners      %[1]s/partners/     needs the group partner: alice passes, bob gets 403
  For customers     %[1]s/customers/    needs HubSpot's list Customers: bob passes, alice gets 403
  For gold members  %[1]s/gold/         needs the contact property member_tier: likewise

  Log in as         alice@example.com / demo   groups members, partner
                    bob@example.com   / demo   no group

  Contacts          %[2]s/contacts   what the logins wrote into the fake HubSpot; with e-mail addresses
  Who may enter     %[2]s/people     put alice into the list, and reload the page after half a minute
  My session        %[1]s/oauth2/session
  Test the login    %[1]s/oauth2/test        for alice
  Health, metrics   %[3]s/readyz  %[3]s/metrics
  Admin token       %[4]s

  Configuration     %[5]s
                    add a rule, save, and reload the page: it asks for a login
  All pages         %[6]s pages --config %[5]s
  Contact sync      %[6]s contacts status --config %[5]s
%[7]s
Everything runs in this process and is deleted when it ends. Ctrl-C stops it.

`, s.gatewayURL(), s.hubspotURL(), s.adminURL(), s.secrets["admin_token"], path, s.Program, s.exposure())
}

// exposure returns a warning if other machines can reach the demo: its accounts are known to everyone.
func (s *setup) exposure() string {
	if s.Bind.IsLoopback() {
		return ""
	}
	return fmt.Sprintf(`
WARNING: ports %[1]d to %[2]d are open on %[3]s. Everyone who reaches them can log in as alice@example.com or
bob@example.com with the password demo, and see and change what the fake HubSpot has.
From outside, open http://localhost:%[1]d too: a container must publish the three ports under the same numbers, as
docker run -p %[1]d-%[2]d:%[1]d-%[2]d does. The admin listener is reachable from inside only.
`, s.Base, s.Base+2, s.Bind)
}
