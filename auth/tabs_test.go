package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// A browser that restores many tabs begins a login in each of them.
func TestTabsReturnToTheirPages(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{
		"short":         "/members/course-%d",
		"with campaign": "/members/course-%d/lesson?utm_source=newsletter&utm_medium=email",
		"nested":        "/members/2026/autumn/courses/lesson-%d/exercises/one",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			b := w.browser()
			const tabs = 31
			var started []answer
			for i := range tabs {
				started = append(started, b.step(w.gateway.URL+fmt.Sprintf(page, i)))
				w.checkCookies(b)
			}
			w.login(b, "/members/first") // in one of the tabs
			for i, tab := range started {
				got := b.get(tab.Header.Get("Location"))
				if got.StatusCode != 200 || got.Request.URL.RequestURI() != fmt.Sprintf(page, i) {
					t.Errorf("tab %d: %d at %s", i, got.StatusCode, got.Request.URL.RequestURI())
				}
			}
		})
	}
}

// A tab whose cookie was deleted returns to its page even before the first login.
func TestTabsOldestBeginsLoginAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	first := w.atProvider(b, "/members/first?x=1")
	for i := range 15 {
		b.step(w.gateway.URL + fmt.Sprintf("/members/%d", i))
	}
	again := b.get(w.consent(b, first, "alice@example.com")) // silently through the provider
	if again.StatusCode != 200 || again.Request.URL.RequestURI() != "/members/first?x=1" {
		t.Errorf("%d at %s", again.StatusCode, again.Request.URL)
	}
}

func TestTabsWithLongQueriesKeepCookieLimits(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"campaign":   strings.Repeat("utm_source=newsletter&utm_medium=email&", 51),
		"ampersands": strings.Repeat("&", 2000),
		"quotes":     strings.Repeat(`"`, 600),
		"not UTF-8":  strings.Repeat("\xff", 600),
		"too long":   strings.Repeat("x", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			b := w.browser()
			for i := range 5 {
				b.step(fmt.Sprintf("%s/oauth2/start?rd=%s", w.gateway.URL, url.QueryEscape(fmt.Sprintf("/members/%d?", i)+query)))
				w.checkCookies(b)
			}
			start := w.gateway.URL + "/oauth2/start?rd=" + url.QueryEscape("/members/last?"+query)
			got := b.get(w.consent(b, b.get(start), "alice@example.com"))
			shortened := name == "too long"
			want := "/members/last?" + escapeQuery(query)
			if shortened {
				want = "/members/last"
			}
			if got.StatusCode != 200 || got.Request.URL.RequestURI() != want {
				t.Errorf("%d at %.60s", got.StatusCode, got.Request.URL.RequestURI())
			}
			if got := w.reasonOf("/oauth2/callback"); (got == reasonShortened) != shortened {
				t.Errorf("reason %q", got)
			}
		})
	}
}

// checkCookies checks the limits of a browser's cookies: servers accept 8 KiB of headers, and browsers 4096 bytes for
// each cookie.
func (w *world) checkCookies(b *browser) {
	w.t.Helper()
	n, size := 0, 0
	for _, c := range b.jar.Cookies(mustParse(w.t, w.gateway.URL)) {
		if !OwnsCookie(c.Name) {
			continue
		}
		size += len(c.Name) + len(c.Value)
		if strings.HasPrefix(c.Name, attemptPrefix) {
			n++
		}
		if len(c.Name)+len(c.Value) > 4096 {
			w.t.Errorf("%s has %d bytes; browsers drop it", c.Name, len(c.Value))
		}
	}
	if n > maxAttempts || size > maxAttemptsBytes || n == 0 {
		w.t.Errorf("%d attempts in %d bytes", n, size)
	}
}

func TestLimitedAddressCanContinue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.cfg.LoginRate = setting.Rate{Requests: 2, Per: setting.Duration(time.Minute)} })
	colleague := w.browser()
	w.login(colleague, "/members/")
	b := w.browser()
	b.step(w.gateway.URL + "/members/")
	for i, path := range []string{"/members/a?x=1", "/oauth2/start?rd=%2Fmembers%2Fa%3Fx%3D1", "/members/a?x=1"} {
		got := b.step(w.gateway.URL + path)
		if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
			t.Fatalf("%s: %d", path, got.StatusCode)
		}
		if !strings.Contains(got.body, `href="/oauth2/start?rd=%2Fmembers%2Fa%3Fx%3D1"`) {
			t.Errorf("%s: no link to the page", path)
		}
		if o := w.outcome(); o.Reason != "login_rate" || o.Login != (i == 0) {
			t.Errorf("%s: outcome %+v", path, o)
		}
	}
	got := colleague.step(w.gateway.URL + "/oauth2/start?rd=%2Fmembers%2Fb")
	if got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/members/b" {
		t.Errorf("logged in: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	w.pass(time.Minute)
	if got := b.step(w.gateway.URL + "/oauth2/start?rd=%2Fmembers%2Fa"); got.StatusCode != http.StatusFound {
		t.Errorf("a minute later: %d", got.StatusCode)
	}
}
