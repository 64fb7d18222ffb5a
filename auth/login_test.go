package auth

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoginReturnsToPageWithQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	got := w.login(b, "/members/a?x=a%20b&y=%2F;z")
	const want, body = "/members/a?x=a%20b&y=%2F;z", "page for alice@example.com in members,partner"
	if got.StatusCode != 200 || got.Request.URL.RequestURI() != want || got.body != body {
		t.Errorf("%d at %s: %s", got.StatusCode, got.Request.URL, got.body)
	}
}

func TestAuthorizeURLHasProtectionsAndNothingOfRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.cfg.AuthorizeParams = map[string]string{"lang": "de"} })
	res := w.browser().step(w.gateway.URL + "/members/?scope=admin&prompt=none&redirect_uri=https://evil.example")
	location, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.StatusCode != http.StatusFound || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	q := location.Query()
	state, nonce, challenge := q.Get("state"), q.Get("nonce"), q.Get("code_challenge")
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		q.Del(name)
	}
	want := url.Values{
		"client_id": {"client"}, "redirect_uri": {w.gateway.URL + "/oauth2/callback"}, "response_type": {"code"},
		"scope": {"openid email profile"}, "code_challenge_method": {"S256"}, "lang": {"de"},
	}
	if d := cmp.Diff(want, q); d != "" {
		t.Error(d)
	}
	base64url := regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	if !base64url.MatchString(state) || len(nonce) < 22 || !base64url.MatchString(challenge) {
		t.Errorf("state %q nonce %q challenge %q", state, nonce, challenge)
	}
}

func TestTabsAreIndependent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	var forms []answer
	for _, tab := range []string{"/a", "/b", "/c"} {
		forms = append(forms, w.atProvider(b, tab))
	}
	for i, want := range []string{"/a", "/b", "/c"} {
		if got := b.get(w.consent(b, forms[i], "alice@example.com")); got.Request.URL.Path != want || got.StatusCode != 200 {
			t.Errorf("tab %s: %d at %s", want, got.StatusCode, got.Request.URL)
		}
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	for range 40 {
		b.step(w.gateway.URL + "/members/" + strings.Repeat("x", 700))
	}
	address, _ := url.Parse(w.gateway.URL)
	n, size := 0, 0
	for _, c := range b.jar.Cookies(address) {
		if strings.HasPrefix(c.Name, attemptPrefix) {
			n++
			size += len(c.Name) + len(c.Value)
		}
	}
	if n > maxAttempts || size > maxAttemptsBytes || n == 0 {
		t.Errorf("%d cookies of %d bytes", n, size)
	}
}

func TestCallbackDeliveredTwentyTimesStartsOneSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	cookies := b.jar.Cookies(mustParse(t, w.gateway.URL))
	var wg sync.WaitGroup
	results := make([]string, 20)
	for i := range results {
		wg.Add(1)
		go func() {
			defer wg.Done()
			one := w.browser()
			one.jar.SetCookies(mustParse(t, w.gateway.URL), cookies)
			res := one.step(callback)
			value := ""
			for _, c := range res.Cookies() {
				if c.Name == "hubgate" {
					value = c.Value
				}
			}
			results[i] = res.Header.Get("Location") + " " + value
		}()
	}
	wg.Wait()
	for i, r := range results {
		if r != results[0] || !strings.HasPrefix(r, "/members/ ") || strings.HasSuffix(r, " ") {
			t.Errorf("callback %d: %q, the first %q", i, r, results[0])
		}
	}
	if len(w.logins) != 1 {
		t.Errorf("%d logins", len(w.logins))
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Callbacks that are not a login of this browser: login CSRF (CWE-352), bookmarks, back buttons and old pages.
func TestCallbackOfAnotherLoginShowsPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	good := mustParse(t, w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")).Query()
	code, state := url.QueryEscape(good.Get("code")), good.Get("state")
	for name, query := range map[string]string{
		"nothing": "", "no state": "code=" + code, "empty state": "code=" + code + "&state=",
		"doubled state": "code=" + code + "&state=" + state + "&state=" + state,
		"altered state": "code=" + code + "&state=A" + state[1:] + "A",
		"made-up state": "code=" + code + "&state=" + strings.Repeat("A", 43),
	} {
		got := b.step(w.gateway.URL + "/oauth2/callback?" + query)
		if got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "/oauth2/start") {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Location"))
		}
	}
	for name, query := range map[string]string{
		"no code": "", "doubled code": "code=a&code=b", "code and error": "code=a&error=access_denied",
		"implicit flow": "code=a&id_token=x", "another issuer": "code=a&iss=https://evil.example",
	} {
		got := b.step(w.gateway.URL + "/oauth2/callback?" + query + "&state=" + state)
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Location"))
		}
	}
	stranger := w.browser()
	first := stranger.step(w.gateway.URL + "/oauth2/callback?code=" + code + "&state=" + state)
	if !strings.HasPrefix(first.Header.Get("Location"), w.provider.URL) {
		t.Errorf("another browser: %d to %q", first.StatusCode, first.Header.Get("Location"))
	}
	got := b.get(w.gateway.URL + "/oauth2/callback?" + good.Encode())
	if got.StatusCode != 200 || got.Request.URL.Path != "/members/" {
		t.Errorf("the login itself: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestBlockedCookiesRetryOnceAndThenShowPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	noCookies := &browser{t, &http.Client{}, nil}
	again := noCookies.step(callback)
	if again.StatusCode != http.StatusFound {
		t.Fatalf("the first time: %d", again.StatusCode)
	}
	second := mustParse(t, again.Header.Get("Location")).Query().Get("state")
	got := noCookies.step(w.gateway.URL + "/oauth2/callback?code=x&state=" + second)
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "cookie") {
		t.Errorf("the second time: %d %s", got.StatusCode, got.Header.Get("Location"))
	}
}

func TestExpiredAttemptBeginsLoginToSamePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/deep?x=1"), "alice@example.com")
	w.pass(time.Hour)
	got := b.step(callback)
	if !strings.HasPrefix(got.Header.Get("Location"), w.provider.URL) {
		t.Fatalf("%d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	form := b.get(got.Header.Get("Location"))
	if form.Request.URL.Path == "/login" {
		form = b.get(w.consent(b, form, "alice@example.com"))
	}
	if form.Request.URL.RequestURI() != "/members/deep?x=1" {
		t.Errorf("at %s", form.Request.URL)
	}
}

func TestOldCallbackWithSessionRedirectsToSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	b.get(callback)
	w.pass(2 * time.Minute) // the attempt's cookie and its result are gone
	if got := b.get(callback); got.StatusCode != 200 || !strings.HasPrefix(got.body, "page for alice") {
		t.Errorf("the back button: %d %s", got.StatusCode, got.body)
	}
}

func TestLoopShowsCauseAtThirdLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	site := mustParse(t, w.gateway.URL)
	w.login(b, "/members/")
	for i := range 3 {
		b.jar.SetCookies(site, []*http.Cookie{{Name: "hubgate", Path: "/", MaxAge: -1}}) // the browser loses the cookie
		got := b.step(w.gateway.URL + "/members/")
		if i < 2 {
			if got.StatusCode != http.StatusFound {
				t.Fatalf("round %d: %d", i, got.StatusCode)
			}
			b.get(got.Header.Get("Location")) // through the provider and back, without a form
			continue
		}
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("round %d: %d to %q", i, got.StatusCode, got.Header.Get("Location"))
		}
	}
}
