package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/internal/page"
)

// operator sends requests to the admin listener of a gateway and reads its log.
type operator struct {
	t       *testing.T
	gateway *gateway
	handler http.Handler
	log     *logLines
}

func newOperator(t *testing.T, server string) *operator {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	text := `version: 1
server: {public_urls: ["http://localhost:8080"]` + server + `}
proxy: {origin: "http://127.0.0.1:9", default: public}
auth: {user_pool: eu-west-1_AbCdEf123, client_id: a, client_secret: "${COGNITO_CLIENT_SECRET}"}
session: {keys: ["${HUBGATE_KEY}"], redis: {mode: embedded}}
hubspot: {access_token: "${HUBSPOT_TOKEN}", api_url: "http://127.0.0.1:9"}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, log: newLogLines(t)}
	g, err := newGateway(ServeConfig{Path: path, Getenv: configtest.Environment, Log: o.log.lines})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.close() })
	o.gateway, o.handler = g, g.adminServer(g.current.Load().cfg.Server).Handler
	return o
}

const withToken = `, admin_token: "${ADMIN_TOKEN}"`

// send sends a request with the token; change may be nil.
func (o *operator) send(method, target, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	o.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:9090"+target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+configtest.AdminToken)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	o.handler.ServeHTTP(w, r)
	return w
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header[name] = values; len(values) == 0 {
			r.Header.Del(name)
		}
	}
}

// guardedRequests need the token.
var guardedRequests = []string{
	"GET /config", "GET /api/sessions", "DELETE /api/sessions?user=ada@example.com", "DELETE /api/sessions/00",
	"GET /api/contacts", "GET /api/contacts/queue", "GET /api/contacts/dead", "POST /api/contacts/replay",
	"POST /api/contacts/drop", "POST /api/contacts/send", "POST /api/contacts/import",
	"GET /api/contacts/person?email=ada@example.com", "POST /api/contacts/forget", "GET /debug/pprof/",
	"GET /debug/pprof/heap", "GET /api/else",
}

var openRequests = []string{"GET /metrics", "GET /livez", "GET /readyz", "GET /startupz", "GET /version"}

func TestAdminAPINeedsTheToken(t *testing.T) {
	t.Parallel()
	o, noToken := newOperator(t, withToken+", pprof: true"), newOperator(t, ", pprof: true")
	const token = configtest.AdminToken
	for _, request := range guardedRequests {
		method, target, _ := strings.Cut(request, " ")
		for name, authorization := range map[string][]string{
			"none": nil, "empty": {""}, "another": {"Bearer another"}, "a prefix": {"Bearer " + token[:20]},
			"more": {"Bearer " + token + "0"}, "another scheme": {"Basic " + token}, "no scheme": {token},
			"no token": {"Bearer "}, "the second of two": {"Bearer x", "Bearer " + token},
			"the first of two": {"Bearer " + token, "Bearer x"},
		} {
			got := o.send(method, target, "", header("Authorization", authorization...))
			if got.Code != http.StatusUnauthorized || got.Header().Get("Www-Authenticate") == "" {
				t.Errorf("%s with %s: %d", request, name, got.Code)
			}
			got = noToken.send(method, target, "", header("Authorization", authorization...))
			if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), "server.admin_token") {
				t.Errorf("%s with %s, no token configured: %d %s", request, name, got.Code, got.Body)
			}
		}
		got := o.send(method, target, "", header("Authorization", "bearer "+token))
		if got.Code == http.StatusUnauthorized || got.Code == http.StatusForbidden {
			t.Errorf("%s with the token: %d %s", request, got.Code, got.Body)
		}
	}
	for _, request := range openRequests {
		method, target, _ := strings.Cut(request, " ")
		if got := noToken.send(method, target, "", header("Authorization")); got.Code != http.StatusOK {
			t.Errorf("%s without a token: %d", request, got.Code)
		}
	}
	if got := newOperator(t, withToken).send("GET", "/debug/pprof/", "", nil); got.Code != http.StatusNotFound {
		t.Errorf("disabled profiling: %d", got.Code)
	}
}

func TestAdminListenerRefusesOtherOriginsAndHosts(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"a loopback address":                  {host("127.0.0.1:9090"), 200},
		"another loopback address":            {host("127.8.8.8"), 200},
		"IPv6":                                {host("[::1]:9090"), 200},
		"localhost":                           {host("localhost:9090"), 200},
		"LOCALHOST with a dot":                {host("LOCALHOST."), 200},
		"a name that resolves to it":          {host("rebind.example:9090"), 403},
		"a name that begins with localhost":   {host("localhost.example"), 403},
		"another address":                     {host("192.168.1.1:9090"), 403},
		"no host":                             {host(""), 403},
		"its own origin":                      {header("Origin", "http://127.0.0.1:9090"), 200},
		"another origin":                      {header("Origin", "https://evil.example"), 403},
		"another port":                        {header("Origin", "http://127.0.0.1:8080"), 403},
		"https":                               {header("Origin", "https://127.0.0.1:9090"), 403},
		"an opaque origin":                    {header("Origin", "null"), 403},
		"two origins":                         {header("Origin", "http://127.0.0.1:9090", "https://evil.example"), 403},
		"typed into the address bar":          {header("Sec-Fetch-Site", "none"), 200},
		"its own page":                        {header("Sec-Fetch-Site", "same-origin"), 200},
		"a page of another site":              {header("Sec-Fetch-Site", "cross-site"), 403},
		"a page of another port of this site": {header("Sec-Fetch-Site", "same-site"), 403},
		"two values":                          {header("Sec-Fetch-Site", "none", "cross-site"), 403},
	} {
		for _, target := range []string{"/config", "/metrics", "/readyz"} {
			want := c.want
			if name == "no host" && target == "/readyz" { // a health check in HTTP/1.0
				want = http.StatusOK
			}
			if got := o.send("GET", target, "", c.change); got.Code != want {
				t.Errorf("%s: %s: status %d, want %d", name, target, got.Code, want)
			}
		}
	}
	public := newOperator(t, withToken+`, admin_listen: "0.0.0.0:9090"`)
	if got := public.send("GET", "/metrics", "", host("10.1.2.3:9090")); got.Code != http.StatusOK {
		t.Errorf("a listener that is not on loopback: status %d", got.Code)
	}
}

func TestInvalidAdminRequestIsRefused(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	const replay, send, imports = "/api/contacts/replay", "/api/contacts/send", "/api/contacts/import"
	aHash := strings.Repeat("0", 64)
	for _, c := range []struct{ method, target, body string }{
		{"DELETE", "/api/sessions", ""}, {"DELETE", "/api/sessions?user=", ""}, {"DELETE", "/api/sessions?user=%20", ""},
		{"DELETE", "/api/sessions?user=a&user=b", ""}, {"DELETE", "/api/sessions?users=a", ""},
		{"DELETE", "/api/sessions?user=%zz", ""},
		{"GET", "/api/sessions?user=", ""}, {"GET", "/api/sessions?limit=0", ""},
		{"GET", "/api/sessions?limit=1001", ""}, {"GET", "/api/sessions?cursor=x", ""},
		{"POST", replay, ""}, {"POST", replay, "{}"}, {"POST", replay, `{"ids":[]}`}, {"POST", replay, `{"ids":null}`},
		{"POST", replay, `{"ids":[""]}`}, {"POST", replay, `{"ids":["1-0",""]}`},
		{"POST", replay, `{"ids":["1-0"],"all":true}`}, {"POST", replay, `{"all":false}`}, {"POST", replay, `{"al":true}`},
		{"POST", replay, `{"all":true}{"all":true}`}, {"POST", replay, `[]`},
		{"POST", send, ""}, {"POST", send, "{}"}, {"POST", send, `{"email":""}`}, {"POST", send, `{"email":" "}`},
		{"POST", send, `{"email":null}`}, {"POST", send, `{"email":"nobody"}`},
		{"POST", imports, "{}"}, {"POST", imports, `{"file":"x","rows":[{"row":1,"claims":{}}]}`},
		{"POST", imports, `{"file":"` + aHash + `","rows":[]}`},
		{"POST", imports, `{"file":"` + aHash + `","rows":[{"row":0}]}`},
		{"POST", imports, `{"file":"` + aHash + `","rows":[{"row":1,"claims":{"a":1}}]}`},
	} {
		got := o.send(c.method, c.target, c.body, nil)
		var problem page.Problem
		err, kind := json.Unmarshal(got.Body.Bytes(), &problem), got.Header().Get("Content-Type")
		if err != nil || got.Code != http.StatusBadRequest || kind != "application/problem+json" {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, got.Code, got.Body)
			continue
		}
		if problem.Status != got.Code || problem.Detail == "" || problem.Title == "" || problem.Type == "" ||
			problem.RequestID == "" {
			t.Errorf("%s %s %s: %+v", c.method, c.target, c.body, problem)
		}
		if !strings.Contains(o.log.String(), problem.RequestID) {
			t.Errorf("no log line has the request id of %s %s", c.method, c.target)
		}
	}
}

func TestAdminAuditLineHasNoQuery(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	otherOrigin := header("Origin", "https://evil.example")
	for _, change := range []func(*http.Request){nil, header("Authorization"), otherOrigin} {
		o.send("GET", "/api/sessions?user=ada@example.com&canary=1", "", change)
		o.send("DELETE", "/api/sessions?user=ada@example.com", "", change)
	}
	text := o.log.String()
	if strings.Contains(text, "ada@example") || strings.Contains(text, "canary") ||
		strings.Count(text, `"path":"/api/sessions"`) != 6 {
		t.Errorf("the log is\n%s", text)
	}
}
