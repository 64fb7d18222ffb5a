package auth

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestALogoutEndsTheSessionTheTokenAndTheProvidersSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true)
	if got.Request.URL.Path != "/oauth2/signed_out" || got.StatusCode != 200 {
		t.Fatalf("%d at %s", got.StatusCode, got.Request.URL)
	}
	if form := b.get(w.gateway.URL + "/members/"); form.Request.URL.Path != "/login" {
		t.Errorf("afterwards the page leads to %s", form.Request.URL)
	}
}

func TestNobodyElsesPageCanLogAVisitorOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	token := func(b *browser) string {
		_, rest, _ := strings.Cut(b.get(w.gateway.URL+"/oauth2/sign_out").body, `name="token" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		return html.UnescapeString(value)
	}
	strangers, own := token(w.browser()), token(b)
	send := func(method string, headers map[string]string, token string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, w.gateway.URL+"/oauth2/sign_out", strings.NewReader(url.Values{"token": {token}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		client := *b.c
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for name, c := range map[string]struct {
		method  string
		headers map[string]string
		want    int
	}{
		"an image":                    {"GET", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 200},
		"a link of another site":      {"GET", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		"a link in a mail":            {"GET", nil, 200},
		"a subdomain":                 {"GET", map[string]string{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200},
		"a prefetch":                  {"GET", map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"}, 204},
		"a form of another site":      {"POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 200},
		"a form without any origin":   {"POST", nil, 200},
		"an old browser's other site": {"POST", map[string]string{"Origin": "https://evil.example"}, 200},
	} {
		if got := send(c.method, c.headers, strangers); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := send("POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, own); got != http.StatusOK {
		t.Errorf("the visitor's own token on another site's form: %d", got)
	}
	if got := b.get(w.gateway.URL + "/members/"); !strings.HasPrefix(got.body, "page for alice") {
		t.Fatalf("alice was logged out: %d at %s", got.StatusCode, got.Request.URL)
	}
	page := map[string]string{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
	if got := send("POST", nil, own); got != http.StatusFound {
		t.Errorf("the button's own token: %d", got)
	}
	b.get(w.gateway.URL + "/members/") // in again: the provider's session goes on
	if got := send("GET", page, ""); got != http.StatusFound {
		t.Errorf("a link of our own page: %d", got)
	}
}

func TestUsingAnotherAccountReallySwitches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{"rd": {"/partners/x"}}, true)
	if got.Request.URL.Path != "/login" {
		t.Fatalf("it led to %s", got.Request.URL)
	}
	page := b.get(w.consent(b, got, "bob@example.com"))
	if page.Request.URL.Path != "/partners/x" || !strings.HasPrefix(page.body, "page for bob") {
		t.Errorf("%s: %s", page.Request.URL, page.body)
	}
}

func TestLoggingOutEverywhereEndsTheOtherBrowsersToo(t *testing.T) {
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

func TestALogoutWorksWithoutASessionAndWithoutARedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	if got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true); got.StatusCode != 200 {
		t.Errorf("without a session: %d", got.StatusCode)
	}
	w.login(b, "/members/")
	w.redis.SetError("ERR away")
	got := b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, false)
	cleared := false
	for _, c := range got.Cookies() {
		cleared = cleared || (c.Name == "hubgate" && c.MaxAge < 0)
	}
	if got.StatusCode != http.StatusFound || !cleared {
		t.Errorf("without Redis: %d, cookie cleared: %v", got.StatusCode, cleared)
	}
}

func TestWhoIsLoggedInIsToldToScriptsWithoutTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	if got := b.step(w.gateway.URL + "/oauth2/userinfo"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %d", got.StatusCode)
	}
	w.login(b, "/members/")
	got := b.step(w.gateway.URL + "/oauth2/userinfo")
	for _, part := range []string{`"email":"alice@example.com"`, `"groups":["members","partner"]`, `"name":"Alice Archer"`, `"expires_at":"`} {
		if !strings.Contains(got.body, part) {
			t.Errorf("%s lacks %s", got.body, part)
		}
	}
	if got.Header.Get("Cache-Control") != "no-store" || strings.Contains(got.body, "rt.") {
		t.Errorf("%v %s", got.Header, got.body)
	}
	if page := b.step(w.gateway.URL + "/oauth2/session"); page.StatusCode != 200 || !strings.Contains(page.body, "alice@example.com") {
		t.Errorf("my session: %d", page.StatusCode)
	}
	if missing := b.step(w.gateway.URL + "/oauth2/nonsense"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown endpoint: %d", missing.StatusCode)
	}
}

func TestARevokedUserIsOutWithinTheAccessTokensLifetime(t *testing.T) {
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
