package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// stay makes a client return redirects instead of following them.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// roundTripper is an http.RoundTripper that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// visitor is a browser without JavaScript: it keeps cookies, follows redirects and submits forms.
type visitor struct {
	t      *testing.T
	client *http.Client
}

// page is the page where a visitor ends.
type page struct {
	*http.Response
	body string
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, client: &http.Client{Jar: jar}}
}

// open opens a page as the address bar of a browser does, and follows redirects.
func (v *visitor) open(address string) page {
	v.t.Helper()
	return v.do(http.MethodGet, address, nil)
}

func (v *visitor) do(method, address string, form url.Values) page {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return page{res, string(text)}
}

// submit fills in the page's form whose action contains the given text, and submits it.
func (v *visitor) submit(p page, action string, fill map[string]string) page {
	v.t.Helper()
	target, values, ok := findForm(p.body, action)
	if !ok {
		v.t.Fatalf("%s has no form with the action %q:\n%s", p.Request.URL, action, p.body)
	}
	for name, value := range fill {
		values.Set(name, value)
	}
	address, err := p.Request.URL.Parse(target)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(http.MethodPost, address.String(), values)
}

// login submits the form of the demo's user pool.
func (v *visitor) login(p page, email string) page {
	v.t.Helper()
	return v.submit(p, "login", map[string]string{"username": email, "password": "demo"})
}

func findForm(page, action string) (target string, values url.Values, ok bool) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", nil, false
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.Contains(attribute(n, "action"), action) {
			continue
		}
		values = url.Values{}
		for in := range n.Descendants() {
			if name := attribute(in, "name"); in.Type == html.ElementNode && in.Data == "input" && name != "" {
				values.Set(name, attribute(in, "value"))
			}
		}
		return attribute(n, "action"), values, true
	}
	return "", nil, false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
