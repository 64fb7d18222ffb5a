package auth

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestALoginComesBackToThePageWithItsQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	got := w.login(b, "/members/a?x=a%20b&y=%2F;z")
	if got.StatusCode != 200 || got.Request.URL.RequestURI() != "/members/a?x=a%20b&y=%2F;z" || got.body != "page for alice@example.com in members,partner" {
		t.Errorf("%d at %s: %s", got.StatusCode, got.Request.URL, got.body)
	}
}

func TestTheAuthorizeURLHoldsWhatProtectsALoginAndNothingOfTheRequest(t *testing.T) {
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
	want := url.Values{"client_id": {"client"}, "redirect_uri": {w.gateway.URL + "/oauth2/callback"}, "response_type": {"code"},
		"scope": {"openid email profile"}, "code_challenge_method": {"S256"}, "lang": {"de"}}
	if d := cmp.Diff(want, q); d != "" {
		t.Error(d)
	}
	if len(state) != 43 || len(nonce) < 22 || len(challenge) != 43 || strings.Trim(state, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		t.Errorf("state %q nonce %q challenge %q", state, nonce, challenge)
	}
}

func TestTabsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	var forms []answer
	for _, tab := range []string{"/a", "/b", "/c"} {
		forms = append(forms, w.atProvider(b, tab))
	}
	for i, want := range []string{"/a", "/b", "/c"} {
		if got := b.get(w.consent(b, forms[i], "alice@example.com")); got.Request.URL.Path != want || got.StatusCode != 200 {
			t.Errorf("tab %s ended with %d at %s", want, got.StatusCode, got.Request.URL)
		}
	}
}

func TestBegunLoginsDoNotPileUp(t *testing.T) {
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

func TestACallbackThatIsDeliveredTwentyTimesMakesOneSession(t *testing.T) {
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
			t.Errorf("delivery %d: %q, the first %q", i, r, results[0])
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

// What can come to the callback that is no login of this browser: RP-01, RP-02 of the attack catalogue and the bookmarks, back
// buttons and stale pages that visitors bring.
func TestWhatIsNoLoginOfThisBrowserEndsOnAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	good := mustParse(t, w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")).Query()
	code, state := url.QueryEscape(good.Get("code")), good.Get("state")
	for name, query := range map[string]string{
		"nothing": "", "no state": "code=" + code, "empty state": "code=" + code + "&state=",
		"doubled state": "code=" + code + "&state=" + state + "&state=" + state, "altered state": "code=" + code + "&state=A" + state[1:] + "A",
		"foreign state": "code=" + code + "&state=" + strings.Repeat("A", 43),
	} {
		got := b.step(w.gateway.URL + "/oauth2/callback?" + query)
		if got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "/oauth2/start") {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Location"))
		}
	}
	for name, query := range map[string]string{
		"no code": "state=" + state, "doubled code": "code=a&code=b&state=" + state, "code and error": "code=a&error=access_denied&state=" + state,
		"implicit answer": "code=a&id_token=x&state=" + state, "another issuer": "code=a&iss=https://evil.example&state=" + state,
	} {
		got := b.step(w.gateway.URL + "/oauth2/callback?" + query)
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Header.Get("Location"))
		}
	}
	stranger := w.browser()
	first := stranger.step(w.gateway.URL + "/oauth2/callback?code=" + code + "&state=" + state)
	if !strings.HasPrefix(first.Header.Get("Location"), w.provider.URL) {
		t.Errorf("another browser: %d to %q", first.StatusCode, first.Header.Get("Location"))
	}
	if got := b.get(w.gateway.URL + "/oauth2/callback?" + good.Encode()); got.StatusCode != 200 || got.Request.URL.Path != "/members/" {
		t.Errorf("the login itself: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestBlockedCookiesGetOneFreshLoginAndThenThePage(t *testing.T) {
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

func TestALoginLeftOpenForAnHourBeginsAnewAndRemembersThePage(t *testing.T) {
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
		t.Errorf("it ended at %s", form.Request.URL)
	}
}

func TestWithALiveSessionAnOldCallbackGoesOnToTheSite(t *testing.T) {
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

func TestTheThirdLoginInAMinuteThatDoesNotHoldIsAPageWithItsCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	site := mustParse(t, w.gateway.URL)
	w.login(b, "/members/")
	for i := range 3 {
		b.jar.SetCookies(site, []*http.Cookie{{Name: "hubgate", Value: "", Path: "/", MaxAge: -1}}) // the cookie does not come back
		got := b.step(w.gateway.URL + "/members/")
		if i < 2 {
			if got.StatusCode != http.StatusFound {
				t.Fatalf("round %d: %d", i, got.StatusCode)
			}
			b.get(got.Header.Get("Location")) // silently through the provider and back
			continue
		}
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("round %d: %d to %q", i, got.StatusCode, got.Header.Get("Location"))
		}
	}
}

func TestAReturnAddressIsAPathOfThisHostOrTheStartPage(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"/members/a?x=1": "/members/a?x=1", "/a%20b": "/a%20b", "/caf%C3%A9": "/caf%C3%A9", "/": "/", "": "/",
		"//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", "https://evil.example": "/", "/%09/evil.example": "/",
		"/%0a/evil.example": "/", "/ /evil.example": "/", "/.//evil.example": "/", "/./x": "/", "/../x": "/", "/%2e%2e/x": "/", "/%2f%2fevil.example": "/",
		"/%5cevil.example": "/", "javascript:alert(1)": "/", "/a#b": "/", "/oauth2/sign_out": "/", "/OAuth2/sign_out": "/", "/oauth2": "/", "/%6fauth2/start": "/",
		"/a;b": "/", "/hubfs/a;b.pdf": "/hubfs/a;b.pdf", "/hubfs/..;/x": "/", "/hubfs/.;a/x": "/", "evil.example": "/", "/a%zz": "/", "/%e5%98%8a": "/%e5%98%8a", "/a?u=https://x//y": "/a?u=https://x//y",
		"/" + strings.Repeat("a", 2100): "/", "/a?" + strings.Repeat("b", 2100): "/a",
		"/a?" + strings.Repeat("b", 9000): "/a",
		"/a?" + strings.Repeat("b", 2045): "/a?" + strings.Repeat("b", 2045), "/a?" + strings.Repeat("b", 2046): "/a",
		"/" + strings.Repeat("a", 2047): "/" + strings.Repeat("a", 2047), "/a?x=\xff\"ä": "/a?x=%FF%22%C3%A4",
	} {
		if got := cleanReturn(raw, "/oauth2"); got != want {
			t.Errorf("%q became %q, want %q", raw, got, want)
		}
	}
}

func FuzzAReturnAddressNeverLeavesThisHost(f *testing.F) {
	for _, seed := range []string{"/a?b", "//evil", `/\evil`, "/%2f/evil", "/..//evil", "/%09/evil"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "www.example.com"}
	f.Fuzz(func(t *testing.T, raw string) {
		got := cleanReturn(raw, "/oauth2")
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != "https" || strings.HasPrefix(got, "//") || isUnder(u.Path, "/oauth2") {
			t.Errorf("%q became %q", raw, got)
		}
	})
}
