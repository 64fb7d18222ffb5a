package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// options say how a site differs from the usual one. The usual one is http://localhost:PORT with a redis-server of its
// own, otherprovider, an origin and a CRM that record what they receive, and gateways that visitors reach directly.
type options struct {
	provider func(*site) config // starts the login provider and returns the section auth
	redis    string             // the section session.redis of a Redis that runs already
	config   config             // keys that differ for every gateway
	bare     bool               // no provider, an embedded Redis, and no contacts
	host     string             // host of the public URL, without a port; https
	https    bool               // the gateways terminate TLS with a certificate for the host
	fronted  bool               // another server has the public port; each gateway gets its own
	routed   bool               // that server is a router
}

// site is everything around the gateways of one public URL.
type site struct {
	t                 *testing.T
	url               string // public, without a slash at the end
	port              int    // that visitors connect to
	fronted           bool
	certFile, keyFile string // with https
	redis             *redisServer
	form              loginForm
	provider          *process // otherprovider
	providerPort      int
	pool              *pool      // if the provider is a user pool
	directory         *directory // if the provider is one
	origin            *origin
	crm               *crm
	router            *router
	config            config // that all gateways share
	gateways          []*gateway
}

const (
	adminToken = "e2e-admin-token-4711"
	sealKey    = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// newSite starts everything but the gateways.
func newSite(t *testing.T, o options) *site {
	t.Helper()
	s := &site{t: t, port: freePorts(t, 1), fronted: o.fronted || o.routed, origin: newOrigin(t), crm: newCRM(t)}
	host, scheme := localhost(s.port), "http"
	if o.https {
		scheme = "https"
	}
	if o.host != "" {
		host, scheme = o.host, "https"
	}
	s.url = scheme + "://" + host
	s.config = config{
		"server.public_urls": `["` + s.url + `"]`, "server.admin_token": adminToken,
		"server.drain_delay": "0s", "server.drain_timeout": "5s",
		"proxy.origin": s.origin.URL, "proxy.default": "public",
		"proxy.rules":   "[{path: /members/**}, {path: /partners/**, groups: [partner]}]",
		"session.keys":  `["` + sealKey + `"]`,
		"session.redis": s.store(o),
	}.with(s.startProvider(o))
	if !o.bare {
		s.config = s.config.with(config{"hubspot.access_token": accessToken, "hubspot.api_url": s.crm.URL,
			"hubspot.contacts": "{min_interval: 0s, properties: {firstname: given_name}}"})
	}
	if o.https {
		s.certFile, s.keyFile = selfSigned(t, strings.Split(host, ":")[0], tomorrow())
		s.config = s.config.with(config{
			"server.tls": "{mode: files, cert_file: " + s.certFile + ", key_file: " + s.keyFile + "}"})
	}
	s.config = s.config.with(o.config)
	if o.routed {
		s.router = startRouter(t, s.port)
	}
	return s
}

// store returns the section session.redis.
func (s *site) store(o options) string {
	s.t.Helper()
	switch {
	case o.redis != "":
		return o.redis
	case o.bare:
		return embedded
	}
	s.redis = startRedis(s.t)
	return s.redis.section()
}

func (s *site) startProvider(o options) config {
	s.t.Helper()
	switch {
	case o.provider != nil:
		return o.provider(s)
	case o.bare:
		return config{"auth.issuer": "http://127.0.0.1:9/", "auth.client_id": "web", "auth.client_secret": "secret"}
	}
	return otherProvider(s)
}

// login opens a protected page, logs in and returns the page where the visitor ends.
func (s *site) login(v *visitor, path string) page {
	s.t.Helper()
	form := v.open(s.url + path)
	if !s.atProvider(form) {
		s.t.Fatalf("%s redirects to %s (%d), not to the provider\n%s",
			path, form.Request.URL, form.StatusCode, form.body)
	}
	return s.submit(v, form)
}

// submit submits the provider's form.
func (s *site) submit(v *visitor, form page) page {
	s.t.Helper()
	return v.submit(form, s.form.action, map[string]string{"username": s.form.user, "password": s.form.password})
}

// atProvider reports whether a page is the provider's.
func (s *site) atProvider(p page) bool {
	return strings.HasPrefix(p.Request.URL.String(), s.form.address)
}

// canLogIn reports whether a login succeeds, which needs a store that accepts writes.
func (s *site) canLogIn() bool {
	s.t.Helper()
	v := s.visitor()
	form := v.open(s.url + "/members/")
	return s.atProvider(form) && s.shows(s.submit(v, form), "/members/")
}

// member returns a new visitor who has logged in.
func (s *site) member() *visitor {
	s.t.Helper()
	v := s.visitor()
	if got := s.login(v, "/members/"); !s.shows(got, "/members/") {
		s.t.Fatalf("the login: %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
	return v
}

// shows reports whether a page is one of the site's, served with 200.
func (s *site) shows(p page, path string) bool {
	return p.StatusCode == http.StatusOK && p.Request.URL.String() == s.url+path
}

// visitor returns a visitor whose requests time out after ten seconds.
func (s *site) visitor() *visitor {
	v := newVisitor(s.t)
	v.client.Timeout = 10 * time.Second
	return v
}

// served reports whether a protected page is served with the visitor's session. The test fails on any other answer than
// the page or 503.
func (s *site) served(v *visitor) bool {
	s.t.Helper()
	got := v.open(s.url + "/members/")
	switch {
	case !strings.HasPrefix(got.Request.URL.String(), s.url):
		s.t.Errorf("logged out: redirected to %s", got.Request.URL)
	case got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable:
		s.t.Errorf("status %d", got.StatusCode)
	}
	return got.StatusCode == http.StatusOK
}

// get requests a page with headers.
func (s *site) get(path string, header http.Header) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = header
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	return res
}
