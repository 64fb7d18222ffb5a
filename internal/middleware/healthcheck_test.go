package middleware

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthCheckAnswersOnlyItsPath(t *testing.T) {
	t.Parallel()
	health := HealthCheck{Path: "/healthz", Draining: func() bool { return false }}
	for request, want := range map[string]int{
		"GET /healthz HTTP/1.0":              200,
		"OPTIONS /healthz HTTP/1.0":          200,
		"HEAD /healthz?a=/b HTTP/1.1":        200,
		"GET https://a/healthz HTTP/1.1":     200,
		"PUT /healthz HTTP/1.1":              405,
		"GET /healthz/ HTTP/1.1":             0,
		"GET /Healthz HTTP/1.1":              0,
		"GET /health%7a HTTP/1.1":            0,
		"GET //healthz HTTP/1.1":             0,
		"GET /healthz#x HTTP/1.1":            0,
		"GET https://a:b@c/healthz HTTP/1.1": 0,
		"GET gopher://a/healthz HTTP/1.1":    0,
		"OPTIONS * HTTP/1.1":                 0,
		"CONNECT a:443 HTTP/1.1":             0,
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(request + "\r\nHost: x\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		switch answered := health.Answer(w, r); {
		case answered != (want != 0):
			t.Errorf("%s: answered %v", request, answered)
		case answered && w.Code != want:
			t.Errorf("%s: %d, want %d", request, w.Code, want)
		}
	}
}

func TestHealthCheckWithoutPathAnswersNothing(t *testing.T) {
	t.Parallel()
	health := HealthCheck{Path: "none", Draining: func() bool { return true }}
	for _, path := range []string{"/none", "/", "/healthz"} {
		if health.Answer(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)) {
			t.Errorf("%s is answered", path)
		}
	}
}
