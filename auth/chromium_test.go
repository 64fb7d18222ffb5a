package auth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/hubgate/hubgate/internal/chromium"
)

// federated is a provider in front of another one, like Cognito with SAML: it redirects logins and logouts there and
// back, across origins that the gateway does not know.
func federated(t *testing.T, w *world, beyond int) {
	next := http.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, r.URL.Query().Get("back"), http.StatusFound)
	}))
	for range beyond {
		there := httptest.NewServer(next)
		t.Cleanup(there.Close)
		next = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, there.URL+"/slo?"+r.URL.RawQuery, http.StatusFound)
		})
	}
	w.instead = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if leaves := r.URL.Path == "/logout" || r.URL.Path == "/oauth2/authorize"; !leaves || q.Has("returned") {
			w.cognito.ServeHTTP(rw, r)
			return
		}
		q.Set("returned", "1")
		back := url.Values{"back": {w.provider.URL + r.URL.Path + "?" + q.Encode()}}
		r.URL.RawQuery = back.Encode()
		next.ServeHTTP(rw, r)
	})
}

func TestLogoutButtonFollowsRedirectsAcrossOrigins(t *testing.T) {
	t.Parallel()
	for beyond := range 3 {
		t.Run(fmt.Sprintf("%d origins behind the provider", beyond), func(t *testing.T) {
			t.Parallel()
			p := chromium.Start(t)
			w := newWorld(t, nil)
			federated(t, w, beyond)
			press := func() { p.Script(`document.querySelector('form[action="/oauth2/sign_out"] button').click()`) }
			p.Open(w.gateway.URL + "/members/")
			p.Arrives(w.provider.URL)
			p.LogIn("alice@example.com")
			p.Arrives(w.gateway.URL + "/members/")
			p.Open(w.gateway.URL + "/forbidden/")
			press() // use another account
			p.Arrives(w.provider.URL + "/login")
			p.LogIn("alice@example.com")
			p.Arrives(w.gateway.URL + "/forbidden/")
			p.Open(w.gateway.URL + "/oauth2/session")
			press() // log out
			p.Arrives(w.gateway.URL + "/oauth2/signed_out")
		})
	}
}
