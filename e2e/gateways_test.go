package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/fakecognito"
)

// gateways are several replicas behind a router, with a user pool of the test's own: one public URL.
type gateways struct {
	t        *testing.T
	site     string
	router   *router
	cognito  *fakecognito.Server
	pool     *httptest.Server
	origin   *origin
	crm      *crm
	replicas []*member
	// logoutKey signs logout tokens: Cognito sends none, so the pool's key set has it in addition.
	logoutKey *rsa.PrivateKey

	codes     atomic.Int64 // spent at the provider
	refreshes atomic.Int64
	expiresIn atomic.Int64 // seconds that a login's access token is said to live; 0: as the pool has it
	// spent is told of the n-th refresh from 1, after the pool has rotated the token and before it answers.
	spent atomic.Pointer[func(n int64)]
}

// member is one of the gateways.
type member struct {
	*process
	port, admin int
	config      string
}

const poolID = "eu-west-1_E2E000001"

// newGateways starts everything but the replicas. access is how long the pool's access tokens live.
func newGateways(t *testing.T, access time.Duration) *gateways {
	t.Helper()
	port := freePorts(t, 1)
	f := &gateways{t: t, site: "http://localhost:" + strconv.Itoa(port), origin: newOrigin(t), crm: newCRM(t)}
	f.pool = httptest.NewServer(http.HandlerFunc(f.provider))
	t.Cleanup(f.pool.Close)
	var err error
	if f.logoutKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	f.cognito, err = fakecognito.New(fakecognito.Config{
		URL: f.pool.URL, PoolID: poolID, Access: access, Rotate: true, RotationGrace: time.Minute,
		Clients: []fakecognito.Client{{ID: "web", Secret: "secret",
			CallbackURLs: []string{f.site + "/oauth2/callback"}, LogoutURLs: []string{f.site + "/oauth2/signed_out"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.router = startRouter(t, port)
	return f
}

// provider is the pool, which counts what is spent there and may shorten a login's access token.
func (f *gateways) provider(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/jwks.json"):
		f.keys(w, r)
		return
	case r.URL.Path != "/oauth2/token":
		f.cognito.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	form, _ := url.ParseQuery(string(body))
	login := form.Get("grant_type") == "authorization_code"
	rec := httptest.NewRecorder()
	f.cognito.ServeHTTP(rec, r)
	if login {
		f.codes.Add(1)
	} else if n, told := f.refreshes.Add(1), f.spent.Load(); told != nil {
		(*told)(n)
	}
	text := rec.Body.String()
	if short := f.expiresIn.Load(); login && short > 0 {
		text = strings.Replace(text, `"expires_in":3600`, fmt.Sprintf(`"expires_in":%d`, short), 1)
	}
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	w.WriteHeader(rec.Code)
	io.WriteString(w, text)
}

// join starts a replica; store is its section session.redis, extra the rest of its section session.
func (f *gateways) join(store, extra string) *member {
	f.t.Helper()
	base := freePorts(f.t, 2)
	r := &member{port: base, admin: base + 1}
	r.config = write(f.t, "hubgate.yaml", fmt.Sprintf(`version: 1
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
auth:
  issuer: "%s/%s"
  client_id: web
  client_secret: secret
  logout: cognito
  backchannel_logout: true
  login_rate: none
session:
  keys: ["%s"]
  redis: %s
%shubspot:
  access_token: pat-na1-e2e
  api_url: "%s"
  contacts: {min_interval: 0s}
`, f.site, r.port, r.admin, adminToken, f.origin.URL, f.pool.URL, poolID, sealKey, store, extra, f.crm.URL))
	f.serve(r)
	f.replicas = append(f.replicas, r)
	f.router.add("http://127.0.0.1:" + strconv.Itoa(r.port))
	return r
}

func (f *gateways) serve(r *member) {
	f.t.Helper()
	r.process = start(f.t, binary, "serve", "--config", r.config)
	r.says(`"msg":"serving"`)
}

// visitor is a browser that gives up after ten seconds: that is a hang, not a measure.
func (f *gateways) visitor() *visitor {
	v := newVisitor(f.t)
	v.client.Timeout = 10 * time.Second
	return v
}

// login logs a new visitor in.
func (f *gateways) login() *visitor {
	f.t.Helper()
	v := f.visitor()
	form := v.open(f.site + "/members/")
	if got := v.login(form, "alice@example.com"); got.StatusCode != http.StatusOK || got.Request.URL.Path != "/members/" {
		f.t.Fatalf("the login: %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
	return v
}

// callback takes a new visitor to the provider and back to the door: the address that finishes the login.
func (f *gateways) callback() (*visitor, string) {
	f.t.Helper()
	v := f.visitor()
	form := v.open(f.site + "/members/")
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/oauth2/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	back := v.login(form, "alice@example.com")
	v.client.CheckRedirect = nil
	if back.Header.Get("Location") == "" {
		f.t.Fatalf("the provider leads nowhere: %d at %s", back.StatusCode, back.Request.URL)
	}
	return v, back.Header.Get("Location")
}

// redis is how a replica's /readyz sees Redis.
func (f *gateways) redis(r *member) (check struct {
	OK     bool
	Detail string
}) {
	f.t.Helper()
	body := newVisitor(f.t).open(address(r.admin) + "/readyz").body
	health := struct{ Checks map[string]json.RawMessage }{}
	if err := json.Unmarshal([]byte(body), &health); err != nil {
		f.t.Fatal(err)
	}
	if err := json.Unmarshal(health.Checks["redis"], &check); err != nil {
		f.t.Fatal(err)
	}
	return check
}

// router gives requests to the replicas in turn, or to one, and takes the next when one does not answer.
type router struct {
	targets atomic.Pointer[[]*url.URL]
	turn    atomic.Int64
	pinned  atomic.Int64 // -1: in turn
}

func startRouter(t *testing.T, port int) *router {
	t.Helper()
	b := &router{}
	b.targets.Store(&[]*url.URL{})
	b.pinned.Store(-1)
	server := &http.Server{Addr: "127.0.0.1:" + strconv.Itoa(port), Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			r.Out.Host = r.In.Host
		},
		Transport:    b,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}}
	done := make(chan struct{})
	go func() { defer close(done); server.ListenAndServe() }()
	t.Cleanup(func() { server.Close(); <-done })
	return b
}

func (b *router) add(target string) {
	u, _ := url.Parse(target)
	next := append(append([]*url.URL{}, *b.targets.Load()...), u)
	b.targets.Store(&next)
}

// pin sends everything to one replica; -1 to all in turn.
func (b *router) pin(replica int) { b.pinned.Store(int64(replica)) }

// toReplica is a header by which a visitor chooses.
const toReplica = "X-To-Replica"

// openAt asks one replica for a page, whatever the router does with the others. It follows no redirects.
func (v *visitor) openAt(f *gateways, replica int, path string) seen {
	v.t.Helper()
	chosen := *v
	chosen.client = &http.Client{Jar: v.client.Jar, Timeout: v.client.Timeout, Transport: choice(replica),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return chosen.open(f.site + path)
}

type choice int

func (c choice) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(toReplica, strconv.Itoa(int(c)))
	return http.DefaultTransport.RoundTrip(r)
}

// RoundTrip tries each replica once. Only a replica that is gone makes it go on.
func (b *router) RoundTrip(r *http.Request) (*http.Response, error) {
	targets := *b.targets.Load()
	first, tries := int(b.turn.Add(1)), len(targets)
	pinned := b.pinned.Load()
	if own, err := strconv.Atoi(r.Header.Get(toReplica)); err == nil {
		pinned = int64(own)
	}
	if pinned >= 0 {
		first, tries = int(pinned), 1
	}
	err := errors.New("no replica")
	for try := range tries {
		target := targets[(first+try)%len(targets)]
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = target.Scheme, target.Host
		var res *http.Response
		if res, err = http.DefaultTransport.RoundTrip(out); err == nil {
			return res, nil
		}
		if r.Body != nil && r.Body != http.NoBody {
			break
		}
	}
	return nil, err
}
