package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/fakecognito"
)

// asking is a gateway and another server in front, which serves files of its own below /reports and asks the gateway
// for each.
type asking struct {
	t             *testing.T
	port, gateway int
	root          string // of the files
}

// reports are the files, by the name on disk, and who may read each: it is what is in them.
var reports = map[string]string{
	"open": "public", "secret": "members", "partners/secret": "partner", "öffnen": "members",
	// Names that something between the visitor and the rules might take for open.
	"open&": "members", "open&groups=members": "members", "open&path=": "members", "open ": "members",
	"open+": "members", "open%": "members", "open;x": "members", "open?": "members", "open#": "members",
	"open%20": "members", "%6fpen": "members", "open%26": "members", "open=": "members",
}

// newAsking starts the gateway; the server in front is started by the test, on the port that visitors use.
func newAsking(t *testing.T, mode string) *asking {
	t.Helper()
	base := freePorts(t, 3)
	a := &asking{t: t, port: base, gateway: base + 1, root: t.TempDir()}
	for name, content := range reports {
		path := filepath.Join(a.root, "reports", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var provider http.Handler
	pool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		provider.ServeHTTP(w, r)
	}))
	t.Cleanup(pool.Close)
	var err error
	provider, err = fakecognito.New(fakecognito.Config{URL: pool.URL, PoolID: poolID, Clients: []fakecognito.Client{{
		ID: "web", Secret: "secret",
		CallbackURLs: []string{a.site() + "/oauth2/callback"}, LogoutURLs: []string{a.site() + "/oauth2/signed_out"}}}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, binary, "serve", "--config", write(t, "hubgate.yaml", fmt.Sprintf(`version: 1
server:
  public_urls: ["%s"]
  listen: "127.0.0.1:%d"
  admin_listen: "127.0.0.1:%d"
  trusted_proxies: ["127.0.0.1/32"]
proxy:
  origin: "%s"
  default: public
  rules:
    - path: /reports/**
    - {path: /reports/open, access: public}
    - {path: /reports/partners/**, groups: [partner]}
auth: {issuer: "%s/%s", client_id: web, client_secret: secret, login_rate: none, forward_auth: %s}
session: {keys: ["%s"], redis: {mode: embedded}}
`, a.site(), a.gateway, base+2, newOrigin(t).URL, pool.URL, poolID, mode, sealKey))).says(`"msg":"serving"`)
	return a
}

func (a *asking) site() string { return "http://localhost:" + strconv.Itoa(a.port) }

// deployed is a file of the folder deploy, with this test's addresses instead of its own.
func (a *asking) deployed(name string, replace ...string) string {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "deploy", name))
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(raw), replace[i]) {
			a.t.Fatalf("deploy/%s does not say %q", name, replace[i])
		}
	}
	return strings.NewReplacer(replace...).Replace(string(raw))
}

// reachable waits until the server in front answers.
func (a *asking) reachable() {
	a.t.Helper()
	eventually(a.t, "the server in front answers", func() bool {
		res, err := http.Get(a.site() + "/")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	})
}

// login returns the Cookie header of somebody who has logged in.
func (a *asking) login(user string) string {
	a.t.Helper()
	v := newVisitor(a.t)
	form := v.open(a.site() + "/reports/secret?a=1&b=%26c&d")
	if login := form.Header.Get("X-Hubgate-Login"); login != "" { // a page with a link
		form = v.open(a.site() + login)
	}
	got := v.login(form, user)
	if got.body != "members" || got.Request.URL.RequestURI() != "/reports/secret?a=1&b=%26c&d" {
		a.t.Fatalf("the login of %s ends at %s: %d\n%s", user, got.Request.URL, got.StatusCode, got.body)
	}
	site, _ := url.Parse(a.site())
	var pairs []string
	for _, c := range v.client.Jar.Cookies(site) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(pairs, "; ")
}

// raw sends a target as it is to the server in front; what is no answer in HTTP is status 0.
func (a *asking) raw(method, target string, headers ...string) (status int, body string) {
	a.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(a.port))
	if err != nil {
		a.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n", method, target, a.port)
	for _, line := range headers {
		if line != "" {
			fmt.Fprintf(conn, "%s\r\n", line)
		}
	}
	io.WriteString(conn, "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}
