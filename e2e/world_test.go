package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// world is everything around a gateway that is run as an operator would: a real Redis, a provider of somebody else's, an origin and
// an API that note what reaches them.
type world struct {
	t                                        *testing.T
	redisPort, providerPort, port, adminPort int
	redis, provider                          *process
	origin                                   *origin
	crm                                      *crm
	config                                   string // path of the YAML file
	store                                    string // the section session.redis
}

const (
	adminToken = "e2e-admin-token-4711"
	sealKey    = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
)

// newWorld starts the parts; the gateway itself is started by serve.
func newWorld(t *testing.T) *world {
	t.Helper()
	port := freePorts(t, 1)
	p := startRedis(t, port, "--appendonly", "yes", "--appendfsync", "always")
	w := newWorldOn(t, fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"]}`, port))
	w.redis, w.redisPort = p, port
	return w
}

// newWorldOn starts the parts around a Redis that runs already; store is the section session.redis.
func newWorldOn(t *testing.T, store string) *world {
	t.Helper()
	base := freePorts(t, 3)
	w := &world{t: t, providerPort: base, port: base + 1, adminPort: base + 2, store: store}
	w.provider = startProvider(t, w.providerPort, w.site()+"/oauth2/callback")
	w.origin, w.crm = newOrigin(t), newCRM(t)
	w.config = write(t, "hubgate.yaml", w.yaml())
	return w
}

func (w *world) site() string { return "http://localhost:" + strconv.Itoa(w.port) }

func (w *world) yaml() string {
	return fmt.Sprintf(`version: 1
server:
  public_urls: ["%s"]
  listen: "127.0.0.1:%d"
  admin_listen: "127.0.0.1:%d"
  admin_token: %s
  drain_delay: 0s
  drain_timeout: 5s
proxy:
  origin: "%s"
  default: public
  rules:
    - path: /members/**
    - path: /partners/**
      groups: [partner]
auth:
  issuer: "http://localhost:%d/"
  client_id: web
  client_secret: secret
  scopes: [openid, email, profile, offline_access]
  claims_from_userinfo: true
  login_rate: none
session:
  keys: ["%s"]
  redis: %s
hubspot:
  access_token: pat-na1-e2e
  api_url: "%s"
  contacts:
    min_interval: 0s
    properties:
      firstname: given_name
`, w.site(), w.port, w.adminPort, adminToken, w.origin.URL, w.providerPort, sealKey, w.store, w.crm.URL)
}

// serve starts the gateway and waits until it serves.
func (w *world) serve() *process {
	w.t.Helper()
	p := start(w.t, binary, "serve", "--config", w.config)
	p.says(`"msg":"serving"`)
	return p
}

// login goes to a page, through the provider's form, and returns where it ends.
func (w *world) login(v *visitor, page string) seen {
	w.t.Helper()
	form := v.open(w.site() + page)
	if !strings.Contains(form.Request.URL.Host, strconv.Itoa(w.providerPort)) {
		w.t.Fatalf("%s did not lead to the provider but to %s (%d)\n%s", page, form.Request.URL, form.StatusCode, form.body)
	}
	return v.submit(form, "/login/username", map[string]string{"username": "test-user@localhost", "password": "verysecure"})
}

// startProvider runs the example server of zitadel/oidc, built from a module of its own.
func startProvider(t *testing.T, port int, redirect string) *process {
	t.Helper()
	need(t, "otherprovider", "otherprovider")
	p := start(t, "otherprovider", strconv.Itoa(port), redirect)
	eventually(t, "the provider answers", func() bool {
		res, err := http.Get(fmt.Sprintf("http://localhost:%d/.well-known/openid-configuration", port))
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return p
}

// origin is a site that tells what reached it.
type origin struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hubfs/hs-reverse-proxy-validation-test" { // the gateway's own probe
			o.mu.Lock()
			o.seen = append(o.seen, r.Clone(r.Context()))
			o.mu.Unlock()
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		fmt.Fprintf(w, "<h1>page %s</h1>", filepath.Base(r.URL.Path))
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *origin) requests() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*http.Request{}, o.seen...)
}

// crm is a contacts API that takes upserts, or answers what a test tells it to.
type crm struct {
	*httptest.Server
	mu       sync.Mutex
	answer   func(call int) int // status of the n-th upsert from 1; nil or 200: taken
	calls    int
	contacts map[string]map[string]string
}

func newCRM(t *testing.T) *crm {
	t.Helper()
	c := &crm{contacts: map[string]map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /crm/objects/2026-09/contacts/batch/upsert", c.upsert)
	mux.HandleFunc("GET /crm/properties/2026-09/contacts", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"results":[{"name":"email","label":"Email","type":"string","fieldType":"text","groupName":"contactinformation"},
			{"name":"firstname","label":"First name","type":"string","fieldType":"text","groupName":"contactinformation"}]}`)
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *crm) upsert(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.answer != nil && c.answer(c.calls) != http.StatusOK {
		status := c.answer(c.calls)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":"error","message":"no","category":"RATE_LIMITS","policyName":"TEN_SECONDLY_ROLLING","correlationId":"1"}`)
		return
	}
	var body struct {
		Inputs []struct {
			ID, IDProperty, ObjectWriteTraceID string
			Properties                         map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var results []map[string]any
	for i, in := range body.Inputs {
		_, old := c.contacts[in.ID]
		c.contacts[in.ID] = in.Properties
		results = append(results, map[string]any{
			"id": strconv.Itoa(i + 1), "new": !old, "properties": in.Properties, "objectWriteTraceId": in.ObjectWriteTraceID,
			"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "archived": false,
		})
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "COMPLETE", "results": results,
		"startedAt": "2026-01-01T00:00:00Z", "completedAt": "2026-01-01T00:00:00Z"})
}

func (c *crm) contact(email string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contacts[email]
}

func (c *crm) setAnswer(answer func(call int) int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}
