package auth

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/session"
)

func TestLogoutEndsSessionTokenAndProviderSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true)
	if got.Request.URL.Path != "/oauth2/signed_out" || got.StatusCode != 200 {
		t.Fatalf("%d at %s", got.StatusCode, got.Request.URL)
	}
	if form := b.get(w.gateway.URL + "/members/"); form.Request.URL.Path != "/login" {
		t.Errorf("after the logout the page redirects to %s", form.Request.URL)
	}
}

// logoutToken returns the token of the form that asks whether to log out.
func logoutToken(w *world, b *browser) string {
	_, rest, _ := strings.Cut(b.get(w.gateway.URL+"/oauth2/sign_out").body, `name="token" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

// logOut sends a request for the logout, and returns the status of the response.
func logOut(w *world, b *browser, method string, headers map[string]string, token string) int {
	w.t.Helper()
	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.gateway.URL+"/oauth2/sign_out", body)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := *b.c
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestLogoutRejectsOtherSites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	others, own := logoutToken(w, w.browser()), logoutToken(w, b)
	navigation := func(site string) map[string]string {
		return map[string]string{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	}
	prefetch := navigation("same-origin")
	prefetch["Sec-Purpose"] = "prefetch"
	image := map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
	crossSite := map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
	for name, c := range map[string]struct {
		method  string
		headers map[string]string
		want    int
	}{
		"an image":                    {"GET", image, 200},
		"a link of another site":      {"GET", navigation("cross-site"), 200},
		"a link in a mail":            {"GET", nil, 200},
		"a subdomain":                 {"GET", navigation("same-site"), 200},
		"a prefetch":                  {"GET", prefetch, 204},
		"a form of another site":      {"POST", crossSite, 200},
		"a form without any origin":   {"POST", nil, 200},
		"an old browser's other site": {"POST", map[string]string{"Origin": "https://evil.example"}, 200},
	} {
		if got := logOut(w, b, c.method, c.headers, others); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := logOut(w, b, "POST", crossSite, own); got != http.StatusOK {
		t.Errorf("the visitor's token in another site's form: %d", got)
	}
	if got := b.get(w.gateway.URL + "/members/"); !strings.HasPrefix(got.body, "page for alice") {
		t.Fatalf("alice was logged out: %d at %s", got.StatusCode, got.Request.URL)
	}
	if got := logOut(w, b, "POST", nil, own); got != http.StatusFound {
		t.Errorf("the button's token: %d", got)
	}
	b.get(w.gateway.URL + "/members/") // logged in again, because the provider's session continues
	if got := logOut(w, b, "GET", navigation("same-origin"), ""); got != http.StatusFound {
		t.Errorf("link of the gateway's page: %d", got)
	}
}

func TestSwitchFormSwitchesAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{"rd": {"/partners/x"}}, true)
	if got.Request.URL.Path != "/login" {
		t.Fatalf("redirected to %s", got.Request.URL)
	}
	page := b.get(w.consent(b, got, "bob@example.com"))
	if page.Request.URL.Path != "/partners/x" || !strings.HasPrefix(page.body, "page for bob") {
		t.Errorf("%s: %s", page.Request.URL, page.body)
	}
}

func TestLogoutEverywhereEndsOtherBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	one, two := w.browser(), w.browser()
	w.login(one, "/members/")
	w.login(two, "/members/")
	one.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{"everywhere": {"1"}}, false)
	if got := two.step(w.gateway.URL + "/members/"); got.StatusCode != http.StatusFound {
		t.Errorf("the other browser: %d %s", got.StatusCode, got.body)
	}
}

func TestLogoutWorksWithoutSessionAndRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	if got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true); got.StatusCode != 200 {
		t.Errorf("without a session: %d", got.StatusCode)
	}
	w.login(b, "/members/")
	w.redis.SetError("ERR unavailable")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, false)
	cleared := false
	for _, c := range got.Cookies() {
		cleared = cleared || (c.Name == "hubgate" && c.MaxAge < 0)
	}
	if got.StatusCode != http.StatusFound || !cleared {
		t.Errorf("without Redis: %d, cookie cleared: %v", got.StatusCode, cleared)
	}
}

func TestUserinfoHasNoTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	if got := b.step(w.gateway.URL + "/oauth2/userinfo"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("not logged in: %d", got.StatusCode)
	}
	w.login(b, "/members/")
	got := b.step(w.gateway.URL + "/oauth2/userinfo")
	for _, part := range []string{
		`"email":"alice@example.com"`, `"groups":["members","partner"]`, `"name":"Alice Archer"`, `"expires_at":"`,
	} {
		if !strings.Contains(got.body, part) {
			t.Errorf("%s lacks %s", got.body, part)
		}
	}
	if got.Header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, "rt.") {
		t.Errorf("%v %s", got.Header, got.body)
	}
	page := b.step(w.gateway.URL + "/oauth2/session")
	if page.StatusCode != 200 || !strings.Contains(page.body, "alice@example.com") {
		t.Errorf("my session: %d", page.StatusCode)
	}
	if missing := b.step(w.gateway.URL + "/oauth2/nonsense"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown endpoint: %d", missing.StatusCode)
	}
}

// A script must be able to tell a person in no list from one about whom nothing is known.
func TestUserinfoHasListsIfConfigured(t *testing.T) {
	t.Parallel()
	for want, lists := range map[string]func(context.Context, *session.Session) []string{
		"":                         nil,
		`"lists":["beta","staff"]`: func(context.Context, *session.Session) []string { return []string{"beta", "staff"} },
		`"lists":[]`:               func(context.Context, *session.Session) []string { return []string{} },
		`"lists":null`:             func(context.Context, *session.Session) []string { return nil },
	} {
		w := newWorld(t, func(w *world) { w.lists = lists })
		b := w.browser()
		w.login(b, "/members/")
		got := b.step(w.gateway.URL + "/oauth2/userinfo")
		if !strings.Contains(got.body, want) || strings.Contains(got.body, "lists") != (want != "") {
			t.Errorf("%s lacks %q", got.body, want)
		}
	}
}

func TestRevokedUserIsLoggedOutWithinAccessTokenLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	w.cognito.SetGroups("alice@example.com", "members")
	w.pass(59*time.Minute + 30*time.Second)
	if got := b.step(w.gateway.URL + "/members/"); got.body != "page for alice@example.com in members" {
		t.Errorf("after the refresh: %d %s", got.StatusCode, got.body)
	}
	w.cognito.SignOutUser("alice@example.com")
	w.pass(time.Hour)
	if got := b.step(w.gateway.URL + "/members/"); got.StatusCode != http.StatusFound {
		t.Errorf("after the revocation: %d %s", got.StatusCode, got.body)
	}
}

func TestSessionPageHasNumberOfSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b, phone := w.browser(), w.browser()
	w.login(b, "/members/")
	shows := func(parts ...string) {
		t.Helper()
		page := b.step(w.gateway.URL + "/oauth2/session")
		for _, part := range parts {
			if page.StatusCode != http.StatusOK || !strings.Contains(page.body, part) {
				t.Errorf("%d, without %s:\n%s", page.StatusCode, part, page.body)
			}
		}
	}
	shows(">Log out everywhere (1 session)<", ">about 12 hours left<", `<a href="/" class="primary">Back to the site<`)
	w.login(phone, "/members/")
	shows(">Log out everywhere (2 sessions)<")
	w.pass(11*time.Hour + 20*time.Minute)
	shows(">about 40 minutes left<")
}

func TestSessionPageWorksWithoutNumberOfSessions(t *testing.T) {
	t.Parallel()
	ender := &flakyEnder{}
	w := newWorld(t, func(w *world) {
		w.ender = func(sessions Ender) Ender { ender.Ender = sessions; return ender }
	})
	b := w.browser()
	w.login(b, "/members/")
	ender.fails.Store(true)
	page := b.step(w.gateway.URL + "/oauth2/session")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, ">Log out everywhere<") {
		t.Errorf("%d:\n%s", page.StatusCode, page.body)
	}
}
