package doctor

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

func unreachable(host string) fault { return func(_ *doctor, n network) { delete(n, host) } }

func responding(host string, status int, body string, header ...string) fault {
	return func(_ *doctor, n network) { n[host] = responds(status, body, header...) }
}

// serving replaces one path of a host.
func serving(host, path string, h http.Handler) fault {
	return func(_ *doctor, n network) { n[host] = only(path, h, n[host]) }
}

func withoutDomain(_ *doctor, n network) {
	issuer := "https://" + poolHost + "/eu-west-1_AbCdEf123"
	n[poolHost] = responds(200, `{"issuer":"`+issuer+`","authorization_endpoint":"`+issuer+`/a",`+
		`"token_endpoint":"`+issuer+`/t","jwks_uri":"`+issuer+`/k"}`)
}

func hasSecret(r *http.Request) bool {
	_, _, basic := r.BasicAuth()
	return basic || r.PostFormValue("client_secret") != ""
}

// accepting is a token endpoint that accepts a client only if it authenticates in one way.
func accepting(right func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := "invalid_client"
		if right(r) {
			code = "invalid_grant"
		}
		tokenError(code).ServeHTTP(w, r)
	})
}

// authorizeError is an authorization endpoint that returns an error to the client.
func authorizeError(code string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := r.URL.Query().Get("redirect_uri") + "?" + url.Values{"error": {code}}.Encode()
		http.Redirect(w, r, to, http.StatusFound)
	})
}

func scopes(list ...string) fault {
	return func(_ *doctor, n network) {
		n["api.hubapi.com"] = fakehubspot.New(fakehubspot.Config{
			FaultPercent: fakehubspot.NoFaults, HubID: 4711, Token: "pat-na1-x", Scopes: list,
		})
	}
}

func mapped(name string, p mapping.Property) fault {
	return func(d *doctor, _ network) {
		d.cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{name: p}
	}
}

// booleanProperty maps to a property that has the type bool in HubSpot.
func booleanProperty(name string, p mapping.Property) fault {
	schema := `{"results":[{"name":"` + name + `","type":"bool","fieldType":"booleancheckbox"}]}`
	return func(d *doctor, n network) {
		mapped(name, p)(d, n)
		serving("api.hubapi.com", "/properties/2026-09/contacts", responds(200, schema))(d, n)
	}
}

func alias(to string, err error) fault {
	return func(d *doctor, _ network) {
		d.lookup = func(context.Context, string) (string, []string, error) { return to, []string{"203.0.113.5"}, err }
	}
}
