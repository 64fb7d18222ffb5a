package e2e

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// watched is a gateway with a health path, a listener for https and one for http. Every page needs a login, and Redis
// is down.
type watched struct {
	*gateway
	t    *testing.T
	site *site
	http int
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{t: t, http: freePorts(t, 1)}
	w.site = newSite(t, options{bare: true, https: true, host: acmeHost, redis: "{urls: [redis://127.0.0.1:9]}",
		config: config{
			"server.health_path": "/healthz", "server.tls.http_listen": local(w.http), "server.drain_delay": "1h",
			"proxy.default": "login"}})
	w.gateway = w.site.serve()
	return w
}

// listeners returns connections to both listeners, as load balancers make them: by address, and without a name in TLS.
func (w *watched) listeners() map[string]net.Conn {
	w.t.Helper()
	secure := tls.Client(dial(w.t, local(w.port)), &tls.Config{InsecureSkipVerify: true}) // the test's own certificate
	return map[string]net.Conn{"https": secure, "http": dial(w.t, local(w.http))}
}

// healthAnswer is one answer to a health check.
type healthAnswer struct {
	*http.Response
	body string
}

// answer reads one answer.
func answer(t *testing.T, r *bufio.Reader, method string) healthAnswer {
	t.Helper()
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return healthAnswer{res, string(body)}
}

// ask sends a request on a connection and returns the first answer.
func ask(t *testing.T, conn net.Conn, request string) healthAnswer {
	t.Helper()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	return answer(t, bufio.NewReader(conn), method)
}

// TestHealthPathAnswersLoadBalancers sends what ALB, NLB, HAProxy, nginx and the kubelet send, and spellings of it.
func TestHealthPathAnswersLoadBalancers(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	for name, request := range map[string]string{
		"by address":     "GET /healthz HTTP/1.1\r\nHost: 10.0.0.7:8080\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n",
		"HAProxy":        "OPTIONS /healthz HTTP/1.0\r\n\r\n",
		"HTTP/1.0":       "GET /healthz HTTP/1.0\r\n\r\n",
		"an empty host":  "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
		"HEAD":           "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"the site":       "GET /healthz HTTP/1.1\r\nHost: " + acmeHost + "\r\nX-Forwarded-Proto: http\r\n\r\n",
		"a query":        "GET /healthz?x=/members HTTP/1.1\r\nHost: x\r\n\r\n",
		"a whole URL":    "GET http://10.0.0.7/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"with a session": "GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: __Host-hubgate=a; hubgate=b\r\n\r\n",
		"an upgrade":     "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	} {
		for listener, conn := range w.listeners() {
			got := ask(t, conn, request)
			want := "ok"
			if strings.HasPrefix(request, "HEAD") {
				want = ""
			}
			if got.StatusCode != http.StatusOK || got.body != want || got.ContentLength != 2 ||
				got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Set-Cookie") != "" ||
				(got.Header.Get("Allow") != "") != strings.HasPrefix(request, "OPTIONS") {
				t.Errorf("%s, %s: %d %q %v", name, listener, got.StatusCode, got.body, got.Header)
			}
		}
	}
	w.leavesNoTrace()
}

// leavesNoTrace checks that no health check reached HubSpot, the access log or the metrics.
func (w *watched) leavesNoTrace() {
	w.t.Helper()
	if n := len(w.site.origin.requests()); n > 0 {
		w.t.Errorf("%d requests reached HubSpot", n)
	}
	if w.out.contains("/healthz") {
		w.t.Error("the log names the health path")
	}
	for line := range strings.Lines(w.text("/metrics")) {
		if strings.HasPrefix(line, "hubgate_http_requests_total{") && !strings.HasSuffix(line, " 0\n") {
			w.t.Errorf("counted: %s", line)
		}
	}
}

// TestHealthPathServesNothingElse sends spellings that some server takes for the health path, and the ways to get a
// second request past it.
func TestHealthPathServesNothingElse(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	site := " HTTP/1.1\r\nHost: " + acmeHost + "\r\n\r\n"
	for request, want := range map[string]int{
		"GET /healthz/" + site:                             http.StatusUnauthorized,
		"GET /HEALTHZ" + site:                              http.StatusUnauthorized,
		"GET /%68ealthz" + site:                            http.StatusUnauthorized,
		"GET /healthz/members/" + site:                     http.StatusUnauthorized,
		"GET //healthz" + site:                             http.StatusBadRequest,
		"GET /healthz/../members/" + site:                  http.StatusBadRequest,
		"GET /members/..%2fhealthz" + site:                 http.StatusBadRequest,
		"GET /healthz;/members/" + site:                    http.StatusBadRequest,
		"GET /healthz#" + site:                             http.StatusBadRequest,
		"GET http://u@" + acmeHost + "/healthz" + site:     http.StatusBadRequest,
		"GET ftp://" + acmeHost + "/healthz" + site:        http.StatusBadRequest,
		"CONNECT /healthz" + site:                          http.StatusBadRequest,
		"POST /healthz" + site:                             http.StatusMethodNotAllowed,
		"DELETE /healthz" + site:                           http.StatusMethodNotAllowed,
		"PRI /healthz" + site:                              http.StatusMethodNotAllowed,
		"GET /healthz/ HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n": http.StatusMisdirectedRequest,
		"GET /healthz HTTP/1.1\r\n\r\n":                    http.StatusBadRequest,
		"GET /healthz HTTP/1.1\nHost: x\n\n":               http.StatusBadRequest,
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
		"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx":                  400,
	} {
		secure := w.listeners()["https"]
		if got := ask(t, secure, request); got.StatusCode != want || got.body == "ok" {
			t.Errorf("%q: %d %q", request, got.StatusCode, got.body)
		}
	}
	if n := len(w.site.origin.requests()); n > 0 {
		t.Errorf("%d requests reached HubSpot", n)
	}
}

// TestHealthPathEndsWhereItsBodyEnds checks that a request after a health check is a request of its own, and one inside
// its body is none (request smuggling, CWE-444).
func TestHealthPathEndsWhereItsBodyEnds(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	inner := "GET /members/ HTTP/1.1\r\nHost: " + acmeHost + "\r\n\r\n"
	next := w.listeners()["https"]
	io.WriteString(next, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"+inner)
	both := bufio.NewReader(next)
	if first, second := answer(t, both, "GET"), answer(t, both, "GET"); first.StatusCode != http.StatusOK ||
		second.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d, then %d", first.StatusCode, second.StatusCode)
	}
	inside := w.listeners()["https"]
	inside.SetDeadline(time.Now().Add(20 * time.Second))
	length := strconv.Itoa(len(inner))
	io.WriteString(inside, "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: "+length+"\r\n\r\n"+inner)
	text, _ := io.ReadAll(inside)
	if n := strings.Count(string(text), "HTTP/1.1 "); n != 1 || !strings.HasSuffix(string(text), "ok") {
		t.Errorf("%d answers: %s", n, text)
	}
}

func TestHealthPathFailsWhileDraining(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.signal(syscall.SIGTERM)
	w.waitFor(`"msg":"draining"`)
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		for listener, conn := range w.listeners() {
			got := ask(t, conn, method+" /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			if got.StatusCode != http.StatusServiceUnavailable || !got.Close {
				t.Errorf("%s, %s: %d %v", method, listener, got.StatusCode, got.Header)
			}
		}
	}
	page := ask(t, w.listeners()["https"], "GET /robots.txt HTTP/1.1\r\nHost: "+acmeHost+"\r\n\r\n")
	if page.StatusCode != http.StatusOK {
		t.Errorf("visitors get %d while draining", page.StatusCode)
	}
}

func TestHealthPathFollowsReload(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	status := func(path string) int {
		return ask(t, w.listeners()["http"], "GET "+path+" HTTP/1.0\r\n\r\n").StatusCode
	}
	w.set(config{"server.health_path": "/status"})
	eventually(t, "the new path answers", func() bool { return status("/status") == http.StatusOK })
	if got := status("/healthz"); got != http.StatusBadRequest {
		t.Errorf("the old path: %d", got)
	}
	w.set(config{"server.health_path": "none"})
	eventually(t, "there is no health path", func() bool { return status("/status") == http.StatusBadRequest })
}
