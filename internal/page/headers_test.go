package page

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHeadersForbidWhatPagesDoNotNeed(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for name, pg := range samples() {
		for _, accept := range []string{"text/html", "application/json"} {
			h := write(t, p, request(t, "GET", "Accept", accept), pg).Header
			for header, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			} {
				if h.Get(header) != want {
					t.Errorf("%s as %s: %s = %q, want %q", name, accept, header, h.Get(header), want)
				}
			}
			policy := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action "} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s as %s: the policy %q lacks %s", name, accept, policy, part)
				}
			}
			if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
				t.Errorf("%s as %s: the policy %q allows scripts or anything inline", name, accept, policy)
			}
		}
	}
}

func TestPageInAFrameOfTheSiteIsSeen(t *testing.T) {
	t.Parallel()
	p := newPages(t, Config{Support: "https://www.example.com/help"})
	login := Page{Name: LoginRequired, Links: []Link{{LabelLogin, "/oauth2/start"}}}
	withForm := login
	withForm.Forms = []Form{{Label: LabelLogout, Action: "/oauth2/sign_out"}}
	for name, test := range map[string]struct {
		page   Page
		dest   string
		framed bool
	}{
		"an iframe":           {login, "iframe", true},
		"a frame":             {login, "frame", true},
		"a tab":               {login, "document", false},
		"a browser of old":    {login, "", false},
		"a plug-in":           {login, "embed", false},
		"with a button in it": {withForm, "iframe", false},
		"another page":        {Page{Name: SignedOut}, "iframe", false},
		"the session":         {samples()["my_session"], "iframe", false},
		"a forbidden page":    {samples()["forbidden"], "iframe", false},
	} {
		got := write(t, p, request(t, "GET", "Accept", "text/html", "Sec-Fetch-Dest", test.dest), test.page)
		options, policy := "DENY", "frame-ancestors 'none'"
		if test.framed {
			options, policy = "SAMEORIGIN", "frame-ancestors 'self'"
		}
		frame, csp := got.Header.Get("X-Frame-Options"), got.Header.Get("Content-Security-Policy")
		if frame != options || !strings.Contains(csp, policy) {
			t.Errorf("%s: %q, %q", name, frame, csp)
		}
		html := body(t, got)
		leaving, links := strings.Count(html, `target="_top"`), strings.Count(html, "<a ")
		if test.framed && leaving != links || !test.framed && leaving > 0 {
			t.Errorf("%s: a link stays in the frame, or leaves where there is none", name)
		}
	}
}

func TestPolicyAllowsOnlyTheStyleSheet(t *testing.T) {
	t.Parallel()
	got := write(t, newPages(t, DefaultConfig()), request(t, "GET", "Accept", "text/html"), Page{Name: NotFound})
	policy, html := got.Header.Get("Content-Security-Policy"), body(t, got)
	_, rest, _ := strings.Cut(html, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
	if len(style) < 1000 || !strings.Contains(policy, want) {
		t.Errorf("policy %q, want %q", policy, want)
	}
}

func TestFormsMayPostAndKeepReferer(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	form := Page{Name: SignOut, Forms: []Form{{Label: LabelLogout, Action: "/oauth2/sign_out"}},
		FormOrigins: []string{"https://login.example.com", "https://idp.example.com"}}
	for name, test := range map[string]struct {
		page             Page
		accept           string
		action, referrer string
	}{
		"with a form": {form, "text/html", "form-action 'self' https://login.example.com https://idp.example.com",
			"same-origin"},
		"without one": {Page{Name: NotFound, FormOrigins: form.FormOrigins}, "text/html", "form-action 'none'",
			"no-referrer"},
		"its twin has no forms": {form, "application/json", "form-action 'none'", "no-referrer"},
	} {
		h := write(t, p, request(t, "GET", "Accept", test.accept), test.page).Header
		if !strings.HasSuffix(h.Get("Content-Security-Policy"), test.action) || h.Get("Referrer-Policy") != test.referrer {
			t.Errorf("%s: %q, %q", name, h.Get("Content-Security-Policy"), h.Get("Referrer-Policy"))
		}
	}
}

func TestPolicyAllowsOnlyTheFaviconAndTheLogo(t *testing.T) {
	t.Parallel()
	for logo, want := range map[string]string{
		"":                                 "; img-src 'self';",
		"/hubfs/logo.svg":                  "; img-src 'self';",
		"https://cdn.example.com/logo.svg": "; img-src 'self' https://cdn.example.com;",
	} {
		h := write(t, newPages(t, Config{Logo: logo}), request(t, "GET", "Accept", "text/html"), Page{Name: NotFound}).Header
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, want) {
			t.Errorf("logo %q: %q", logo, policy)
		}
	}
}

func TestHeadMatchesGetWithoutBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		newPages(t, DefaultConfig()).Write(w, r, Page{Name: Unavailable, RetryAfter: 1500 * time.Millisecond})
	}))
	t.Cleanup(server.Close)
	get, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	head, err := http.Head(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if head.StatusCode != 503 || head.Header.Get("Retry-After") != "2" ||
		get.ContentLength < 100 || head.ContentLength != get.ContentLength {
		t.Errorf("HEAD %d %q %d, GET %d", head.StatusCode, head.Header.Get("Retry-After"), head.ContentLength,
			get.ContentLength)
	}
	if body(t, head) != "" || body(t, get) == "" {
		t.Error("HEAD has a body, or GET has none")
	}
}

func TestLanguageFollowsBrowserOrConfiguration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configured, accept, want string
		vary                     bool
	}{
		"the browser's":           {"auto", "de-AT,de;q=0.9,en;q=0.8", "de", true},
		"its second choice":       {"auto", "fr,de;q=0.5", "de", true},
		"none of the browser's":   {"auto", "fr", "en", true},
		"refused by the browser":  {"auto", "de;q=0, en", "en", true},
		"the configuration fixed": {"de", "en", "de", false},
	} {
		p, r := newPages(t, Config{Language: test.configured}), request(t, "GET", "Accept-Language", test.accept)
		h := write(t, p, r, Page{Name: NotFound}).Header
		vary := strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept-Language")
		if h.Get("Content-Language") != test.want || vary != test.vary {
			t.Errorf("%s: %q, Vary %q", name, h.Get("Content-Language"), h.Values("Vary"))
		}
	}
}

func TestHeadersOfAbandonedResponseAreRemoved(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("ETag", `"origin"`)
	w.Header().Set("Content-Length", "7")
	newPages(t, DefaultConfig()).Write(w, request(t, "GET"), Page{Name: BadGateway})
	if h := w.Header(); h.Get("Content-Encoding")+h.Get("ETag") != "" || h.Get("Content-Length") == "7" {
		t.Errorf("%v", h)
	}
}
