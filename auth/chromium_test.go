package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/chromium"
)

func open(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

func script(ctx context.Context, js string) string {
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`String(`+js+`)`))
	if err != nil {
		return ""
	}
	return text
}

// arrives waits until the tab has loaded an address that begins so.
func arrives(t *testing.T, ctx context.Context, prefix string) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for last := ""; ; {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("at %s, want %s", last, prefix)
		}
		if last = script(ctx, `document.readyState + ' ' + location.href`); strings.HasPrefix(last, "complete "+prefix) {
			return
		}
	}
}

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
			ctx := chromium.Open(t)
			w := newWorld(t, nil)
			federated(t, w, beyond)
			login := func() {
				script(ctx, `(document.querySelector('#username').value = 'alice@example.com',
					document.querySelector('#password').value = 'demo', document.querySelector('form').submit(), '')`)
			}
			press := func() { script(ctx, `document.querySelector('form[action="/oauth2/sign_out"] button').click()`) }
			open(t, ctx, w.gateway.URL+"/members/")
			arrives(t, ctx, w.provider.URL)
			login()
			arrives(t, ctx, w.gateway.URL+"/members/")
			open(t, ctx, w.gateway.URL+"/forbidden/")
			press() // use another account
			arrives(t, ctx, w.provider.URL+"/login")
			login()
			arrives(t, ctx, w.gateway.URL+"/forbidden/")
			open(t, ctx, w.gateway.URL+"/oauth2/session")
			press() // log out
			arrives(t, ctx, w.gateway.URL+"/oauth2/signed_out")
		})
	}
}
