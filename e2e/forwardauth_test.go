package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/testservice"
)

// TestForwardAuthNginx runs deploy/nginx-auth-request.conf.
func TestForwardAuthNginx(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "nginx", "nginx")
	f := newForwardAuthSite(t, "query")
	conf := f.deployed("nginx-auth-request.conf", "127.0.0.1:8080", local(f.gateway.port),
		"127.0.0.1:8088", local(f.port), "server_name www.example.com", "server_name localhost",
		"Host www.example.com", "Host "+localhost(f.port), "root /srv", "root "+f.root)
	startNginx(t, conf)
	f.waitUntilServing()
	f.checkAccess()
	for _, name := range []string{"a%20b", "open+", "open&", "open%25", "open;x"} {
		status, _ := f.raw("GET", "/reports/"+name)
		if status != http.StatusForbidden && status != http.StatusBadRequest {
			t.Errorf("%s: %d; docs/snippets.md says that it is rejected", name, status)
		}
	}
	if status, _ := f.raw("POST", "/reports/open", "Content-Length: 0"); status != http.StatusForbidden {
		t.Errorf("POST: %d", status)
	}
	if status, _ := f.raw("GET", "/internal/hubgate"); status == http.StatusAccepted {
		t.Error("visitors can reach the location of the sub-request")
	}
}

// startNginx runs nginx with what belongs into its http block.
func startNginx(t *testing.T, conf string) {
	t.Helper()
	folder := t.TempDir()
	var temporary strings.Builder
	for _, module := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s/%s;\n", module, folder, module)
	}
	whole := "daemon off; master_process off; error_log stderr; pid " + folder + "/pid;\nevents {}\n" +
		"http {\naccess_log off;\n" + temporary.String() + conf + "}\n"
	start(t, "nginx", "-p", folder, "-e", "stderr", "-c", write(t, "nginx.conf", whole))
}

// startCaddy runs Caddy without its API and without certificates of its own.
func startCaddy(t *testing.T, conf string) {
	t.Helper()
	folder := t.TempDir()
	file := write(t, "Caddyfile", "{\n\tadmin off\n\tauto_https off\n}\n"+conf)
	start(t, "env", "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder,
		"caddy", "run", "--adapter", "caddyfile", "--config", file)
}

// TestForwardAuthCaddy runs deploy/Caddyfile.
func TestForwardAuthCaddy(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "caddy", "caddy")
	f := newForwardAuthSite(t, "headers")
	conf := f.deployed("Caddyfile", "127.0.0.1:8080", local(f.gateway.port),
		"www.example.com {", f.url+" {", "root * /srv", "root * "+f.root)
	startCaddy(t, conf)
	f.waitUntilServing()
	f.checkAccess()
}

// TestForwardAuthTraefik runs a server that does what Traefik's documentation of forwardAuth says: it copies the
// visitor's headers, overwrites X-Forwarded-*, sends the host of the address, and passes on every answer but 2xx.
// Traefik itself is not a Debian package.
func TestForwardAuthTraefik(t *testing.T) {
	t.Parallel()
	f := newForwardAuthSite(t, "headers")
	var conf struct {
		HTTP struct {
			Middlewares struct {
				Hubgate struct {
					ForwardAuth struct {
						Address            string
						TrustForwardHeader bool `yaml:"trustForwardHeader"`
					} `yaml:"forwardAuth"`
				}
			}
		}
	}
	text := f.deployed("traefik.yaml", "127.0.0.1:8080", local(f.gateway.port))
	if err := yaml.Unmarshal([]byte(text), &conf); err != nil {
		t.Fatal(err)
	}
	ask := conf.HTTP.Middlewares.Hubgate.ForwardAuth
	if ask.TrustForwardHeader {
		t.Fatal("deploy/traefik.yaml trusts the headers of visitors")
	}
	gateway := &url.URL{Scheme: "http", Host: local(f.gateway.port)}
	site := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(gateway)
		r.Out.Host = r.In.Host
	}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/reports/") {
			site.ServeHTTP(w, r)
		} else if traefikAdmits(w, r, ask.Address) {
			content, err := os.ReadFile(f.root + r.URL.Path)
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
			}
			w.Write(content)
		}
	})
	serveHTTP(t, f.port, handler)
	f.waitUntilServing()
	f.checkAccess()
}

// traefikAdmits asks the gateway, and passes on its answer unless it is 2xx.
func traefikAdmits(w http.ResponseWriter, r *http.Request, address string) bool {
	question, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return false
	}
	question.Header = r.Header.Clone()
	for name := range question.Header {
		if strings.HasPrefix(name, "X-Forwarded-") || name == "Connection" {
			question.Header.Del(name)
		}
	}
	for name, value := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Method": r.Method, "X-Forwarded-Proto": "http",
		"X-Forwarded-Host": r.Host, "X-Forwarded-Uri": r.URL.RequestURI(),
	} {
		question.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(question)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return false
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 == 2 {
		return true
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body)
	return false
}

// spoofed are headers by which a visitor tries to be checked for another page than the one requested.
var spoofed = []string{
	"", "X-Forwarded-Uri: /reports/open", "X_Forwarded_Uri: /reports/open", "X-Forwarded-Uri:",
	"X-Forwarded-Host: localhost",
	"X-Forwarded-Uri: /reports/open\r\nX-Forwarded-Uri: /reports/open", "X-Forwarded-Method: GET",
	"X-Original-URL: /reports/open", "X-Original-URI: /reports/open", "X-Rewrite-URL: /reports/open",
	"X-Forwarded-Prefix: /x", "X-Auth-Request-Redirect: /reports/open",
	"Connection: X-Forwarded-Uri", "Connection: X-Forwarded-Method, X-Forwarded-Host",
}

// checkAccess requests every file in every spelling. No visitor may get a forbidden file, regardless of what the
// headers claim.
func (f *forwardAuthSite) checkAccess() {
	f.t.Helper()
	bob, alice := f.cookieOf("bob@example.com"), f.cookieOf("alice@example.com")
	for cookie, allowed := range map[string][]string{
		"": {"public"}, bob: {"public", "members"}, alice: {"public", "members", "partner"},
	} {
		for target, content := range map[string]string{
			"/reports/open": "public", "/reports/open?a=b&path=/x": "public", "/reports/secret": "members",
			"/reports/secret?x": "members", "/reports/partners/secret": "partner", "/reports/%C3%B6ffnen": "members",
			"/reports/s%65cret": "members",
		} {
			status, body := f.raw("GET", target, cookie)
			if slices.Contains(allowed, content) != (status == 200 && body == content) {
				f.t.Errorf("%.20q requests %s: %d %.80s", cookie, target, status, body)
			}
		}
		for _, header := range spoofed {
			for _, target := range oddTargets() {
				_, body := f.raw("GET", target, cookie, header)
				if slices.Contains([]string{"members", "partner"}, body) && !slices.Contains(allowed, body) {
					f.t.Errorf("%.20q with %q gets %s, a page for %s", cookie, header, target, body)
				}
			}
		}
	}
}

// oddTargets returns targets that servers may read in different ways.
func oddTargets() []string {
	targets := []string{
		"/reports/secret", "/reports/partners/secret", "/reports/partners/secret?path=/reports/open",
		"/reports/secret?&path=/reports/open", "/reports/secret&path=/reports/open", "/reports/open?/../secret",
		"/reports/open#/../secret", "/reports/secret#/reports/open", "http://localhost/reports/secret",
		"http://evil.example/reports/secret", "/REPORTS/secret", "/reports//secret", "//reports/secret",
		"/reports/./secret",
		"/reports/x/../secret", "/reports/open/../secret", "/reports/%2e%2e/reports/secret", "/reports%2fsecret",
		"/reports/open%2f..%2fsecret", "/reports/%6fpen", "/reports/%256fpen", "/reports/%25%36%66pen",
		"/reports/secret%00", "/reports\\secret", "/x/../reports/secret", "/reports/partners%2fsecret",
		"/reports/partners/../secret", "/reports/öffnen", "/reports/%6F%70%65%6E%26",
	}
	for _, end := range []string{
		"&", "&&", "&groups=members", "&path=", "&path=/reports/open", "%26", "%26groups=members", "%2526", "%252526",
		"+", "%2B", "%20", "%2520", ";x", "%3bx", "%253bx", "%", "%25", "%2525", "?", "%3f", "#", "%23", "=", "%3D",
		"%00", "/", "/.", ".",
	} {
		targets = append(targets, "/reports/open"+end)
	}
	return targets
}
