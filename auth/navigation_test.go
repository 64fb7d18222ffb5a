package auth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// notNavigations are requests that another site's page, a script or a browser makes by itself.
var notNavigations = map[string]http.Header{
	"an image":       {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"image"}},
	"a frame":        {"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"iframe"}},
	"an embed":       {"Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"embed"}},
	"a script":       {"Sec-Fetch-Mode": {"no-cors"}, "Sec-Fetch-Dest": {"script"}, "Accept": {"*/*"}},
	"fetch":          {"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Accept": {"application/json"}},
	"an old image":   {"Accept": {"image/webp,image/*"}},
	"an old script":  {"Accept": {"text/html"}, "X-Requested-With": {"XMLHttpRequest"}},
	"no Accept":      {"Accept": {""}},
	"a WebSocket":    {"Connection": {"Upgrade"}, "Upgrade": {"websocket"}},
	"half a header":  {"Sec-Fetch-Dest": {"document"}},
	"another half":   {"Sec-Fetch-Mode": {"navigate"}},
	"a preview page": {"X-Purpose": {"preview"}},
}

func TestLoginBeginsOnlyForNavigations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.cfg.LoginRate = setting.Rate{Requests: 2, Per: setting.Duration(time.Minute)} })
	stolen := w.browser() // an authentic state of another browser
	location := stolen.step(w.gateway.URL + "/members/").Header.Get("Location")
	state := mustParse(t, location).Query().Get("state")
	for name, header := range notNavigations {
		for _, path := range []string{"/oauth2/start?rd=/members/", "/oauth2/callback?code=x&state=" + state, "/members/"} {
			res := w.request(path, header, nil)
			want := http.StatusUnauthorized
			if name == "a preview page" && strings.HasPrefix(path, "/oauth2/start") {
				want = http.StatusNoContent
			}
			if res.StatusCode != want || res.Header.Get("Location") != "" || len(res.Cookies()) > 0 {
				t.Errorf("%s at %s: %d, %d cookies", name, path, res.StatusCode, len(res.Cookies()))
			}
		}
	}
	link := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
	if res := w.request("/oauth2/start?rd=/members/", link, nil); res.StatusCode != http.StatusFound {
		t.Errorf("link in an email: %d; the limit was used up", res.StatusCode)
	}
}

func TestLoginBeginsForOldBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	header := http.Header{"Accept": {"text/html,application/xhtml+xml,*/*;q=0.8"}}
	if res := w.request("/oauth2/start?rd=/members/", header, nil); res.StatusCode != http.StatusFound {
		t.Errorf("%d", res.StatusCode)
	}
}

// The page that a logout was to come back to is kept until a person goes there.
func TestReturnCookieIsUsedOnlyByNavigations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	w.login(b, "/members/")
	b.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{"rd": {"/partners/"}}, false)
	cookies := b.jar.Cookies(mustParse(t, w.gateway.URL))
	for name, header := range notNavigations {
		res := w.request("/oauth2/signed_out", header, cookies)
		if res.StatusCode == http.StatusFound || len(res.Cookies()) > 0 {
			t.Errorf("%s: %d, %v", name, res.StatusCode, res.Cookies())
		}
	}
	if got := b.step(w.gateway.URL + "/oauth2/signed_out"); !strings.Contains(got.Header.Get("Location"), "prompt=login") {
		t.Errorf("navigation: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
}

// request sends one request without a browser's cookie jar.
func (w *world) request(path string, header http.Header, cookies []*http.Cookie) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.gateway.URL+path, nil)
	w.must(err)
	req.Header = header.Clone()
	for _, c := range cookies {
		req.AddCookie(c)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	w.must(err)
	res.Body.Close()
	return res
}
