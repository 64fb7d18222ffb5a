package e2e

import (
	"net/http"
	"strconv"

	"github.com/hubgate/hubgate/internal/testservice"
)

// loginForm is the form by which a provider logs people in.
type loginForm struct {
	address        string // that the URLs of the provider's pages begin with
	action         string // part of the form's action
	user, password string
}

// email is the address of the user of otherprovider.
const email = "test-user@zitadel.ch"

// otherProvider runs otherprovider, the example server of zitadel/oidc.
func otherProvider(s *site) config {
	s.t.Helper()
	s.providerPort = freePorts(s.t, 1)
	s.form = loginForm{"http://" + localhost(s.providerPort) + "/", "/login/username", "test-user@localhost", "verysecure"}
	s.startOtherProvider()
	return config{
		"auth.issuer": s.form.address, "auth.client_id": "web", "auth.client_secret": "secret",
		"auth.scopes":               "[openid, email, profile, offline_access]",
		"auth.claims_from_userinfo": "true", "auth.login_rate": "none",
	}
}

// startOtherProvider starts otherprovider, or starts it again.
func (s *site) startOtherProvider() {
	s.t.Helper()
	testservice.Need(s.t, "otherprovider", "otherprovider")
	s.provider = start(s.t, "otherprovider", strconv.Itoa(s.providerPort), s.url+"/oauth2/callback")
	discovery := s.form.address + ".well-known/openid-configuration"
	eventually(s.t, "the provider answers", func() bool { return answers(discovery) })
}

// answers reports whether a URL answers 200.
func answers(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
