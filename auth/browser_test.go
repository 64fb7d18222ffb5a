package auth

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// browser keeps cookies. It follows redirects, or stops at the first one.
type browser struct {
	t   *testing.T
	c   *http.Client
	jar http.CookieJar
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w.t, &http.Client{Jar: jar}, jar}
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) get(address string) answer  { return b.do(http.MethodGet, address, nil, true) }
func (b *browser) step(address string) answer { return b.do(http.MethodGet, address, nil, false) }

func (b *browser) do(method, address string, form url.Values, follow bool) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	client := *b.c
	if !follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res, string(text)}
}

// atProvider opens a protected page and returns the provider's form.
func (w *world) atProvider(b *browser, path string) answer {
	w.t.Helper()
	form := b.get(w.gateway.URL + path)
	if form.Request.URL.Path != "/login" {
		w.t.Fatalf("%s redirected to %s (%d)\n%s", path, form.Request.URL, form.StatusCode, form.body)
	}
	return form
}

// consent submits the form and returns the callback's URL without opening it.
func (w *world) consent(b *browser, form answer, user string) string {
	w.t.Helper()
	res := b.do(http.MethodPost, form.Request.URL.String(), url.Values{"username": {user}, "password": {"demo"}}, false)
	if res.StatusCode != http.StatusFound {
		w.t.Fatalf("form: %d\n%s", res.StatusCode, res.body)
	}
	return res.Header.Get("Location")
}

// login logs in and returns the requested page.
func (w *world) login(b *browser, path string) answer {
	w.t.Helper()
	return b.get(w.consent(b, w.atProvider(b, path), "alice@example.com"))
}
