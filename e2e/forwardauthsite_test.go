package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forwardAuthSite is a site whose public port belongs to another server. That server has its own files below
// /reports, and asks the gateway to authorize each request for them.
type forwardAuthSite struct {
	*site
	gateway *gateway
	root    string // folder of the files
}

// reports has the files by name. The content of each says who may read it.
var reports = map[string]string{
	"open": "public", "secret": "members", "partners/secret": "partner", "öffnen": "members",
	// Names that some server between the visitor and the rules might read as open.
	"open&": "members", "open&groups=members": "members", "open&path=": "members", "open ": "members",
	"open+": "members", "open%": "members", "open;x": "members", "open?": "members", "open#": "members",
	"open%20": "members", "%6fpen": "members", "open%26": "members", "open=": "members",
}

// newForwardAuthSite starts the gateway. The test starts the other server.
func newForwardAuthSite(t *testing.T, mode string) *forwardAuthSite {
	t.Helper()
	f := &forwardAuthSite{root: t.TempDir()}
	for name, content := range reports {
		path := filepath.Join(f.root, "reports", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, content)
	}
	f.site = newSite(t, options{bare: true, provider: cognito, fronted: true, config: config{
		"server.trusted_proxies": "[127.0.0.1/32]", "auth.forward_auth": mode,
		"proxy.rules": "[{path: /reports/**}, {path: /reports/open, access: public}, " +
			"{path: /reports/partners/**, groups: [partner]}]",
	}})
	f.gateway = f.serve()
	return f
}

// deployed returns a file of the folder deploy with replacements.
func (f *forwardAuthSite) deployed(name string, replace ...string) string {
	f.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "deploy", name))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(raw), replace[i]) {
			f.t.Fatalf("deploy/%s does not contain %q", name, replace[i])
		}
	}
	return strings.NewReplacer(replace...).Replace(string(raw))
}

// waitUntilServing waits until the other server answers.
func (f *forwardAuthSite) waitUntilServing() {
	f.t.Helper()
	eventually(f.t, "the other server answers", func() bool { return answers(f.url + "/") })
}

// cookieOf logs a user in and returns the Cookie header.
func (f *forwardAuthSite) cookieOf(user string) string {
	f.t.Helper()
	v := newVisitor(f.t)
	const path = "/reports/secret?a=1&b=%26c&d"
	form := v.open(f.url + path)
	if login := form.Header.Get("X-Hubgate-Login"); login != "" { // a page with a link
		form = v.open(f.url + login)
	}
	got := v.login(form, user)
	if got.body != "members" || got.Request.URL.RequestURI() != path {
		f.t.Fatalf("the login of %s ends at %s: %d\n%s", user, got.Request.URL, got.StatusCode, got.body)
	}
	var pairs []string
	for _, c := range v.client.Jar.Cookies(mustURL(f.t, f.url)) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(pairs, "; ")
}

// raw sends a target to the other server without changing it. Status 0 means an answer that is not HTTP.
func (f *forwardAuthSite) raw(method, target string, headers ...string) (status int, body string) {
	f.t.Helper()
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, localhost(f.port))
	for _, line := range headers {
		if line != "" {
			request += line + "\r\n"
		}
	}
	answer, _ := sendRaw(f.t, local(f.port), request+"\r\n")
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: method})
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}
