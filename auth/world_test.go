package auth

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/auth/fakecognito"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// world is a gateway's login with a fake Cognito, a Redis and a clock.
type world struct {
	t        *testing.T
	cognito  *fakecognito.Server
	provider *httptest.Server
	gateway  *httptest.Server
	redis    *miniredis.Miniredis
	sessions *session.Manager
	handler  *Handler
	cfg      Config
	faults   fakecognito.Faults
	audit    audited             // audit lines
	log      audited             // all others
	lossy    lossy               // between the gateway and Redis
	ender    func(Ender) Ender   // wraps the sessions; may be nil
	asked    func(*http.Request) // told each request to the provider; may be nil
	instead  http.Handler        // answers in the provider's place when it is set
	began    func(*http.Request) // told each request to the gateway; may be nil

	mu     sync.Mutex
	offset time.Duration
	logins []string // return addresses of finished logins
	judged []judged // each request to the gateway
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// pass moves the clock of everybody.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.offset += d
	w.mu.Unlock()
	w.redis.FastForward(d)
}

// newWorld starts the parts; change may alter the configuration and the provider's faults.
func newWorld(t *testing.T, change func(*world)) *world {
	t.Helper()
	w := &world{t: t, redis: miniredis.RunT(t), cfg: DefaultConfig()}
	w.provider = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.asked != nil {
			w.asked(r)
		}
		if w.instead != nil {
			w.instead.ServeHTTP(rw, r)
			return
		}
		w.cognito.ServeHTTP(rw, r)
	}))
	w.gateway = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.provider.Close)
	t.Cleanup(w.gateway.Close)
	w.cfg.Issuer, w.cfg.ClientID, w.cfg.ClientSecret, w.cfg.Logout = w.provider.URL+"/us-east-1_TEST", "client", "secret", "cognito"
	w.cfg.LoginRate = setting.Rate{}
	if change != nil {
		change(w)
	}
	var err error
	w.cognito, err = fakecognito.New(fakecognito.Config{
		URL: w.provider.URL, PoolID: "us-east-1_TEST", Now: w.now, Faults: w.faults,
		Clients: []fakecognito.Client{{ID: "client", Secret: "secret",
			CallbackURLs: []string{w.gateway.URL + "/oauth2/callback"}, LogoutURLs: []string{w.gateway.URL + "/oauth2/signed_out"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.build()
	return w
}

func (w *world) build() {
	w.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1})
	rdb.AddHook(&w.lossy)
	w.t.Cleanup(func() { rdb.Close() })
	ring, err := seal.New(seal.NewKey())
	w.must(err)
	pages, err := page.New(page.DefaultConfig())
	w.must(err)
	log, metrics := slog.New(slog.NewTextHandler(&w.log, nil)), NewMetrics(prometheus.NewRegistry())
	provider, err := openid.New(w.cfg.OpenID(), openid.Deps{Client: providerClient(), Log: log, Now: w.now})
	w.must(err)
	cfg := session.DefaultConfig()
	cfg.CacheTTL = 0
	w.sessions, err = session.New(cfg, session.Deps{Redis: rdb, Block: rdb, Ring: ring, Log: log, Metrics: session.NewMetrics(prometheus.NewRegistry()), Now: w.now})
	w.must(err)
	w.sessions.Set(session.Settings{Config: cfg, Issuer: provider.Issuer(), ClientID: provider.ClientID(), RefreshGrace: time.Hour, Refresh: provider.Refresh})
	ender := Ender(w.sessions)
	if w.ender != nil {
		ender = w.ender(ender)
	}
	w.handler, err = New(w.cfg, Deps{
		Provider: provider, Sessions: w.sessions, Ender: ender, Redis: rdb, KeyPrefix: "hubgate:", Ring: ring, Pages: pages, Log: log,
		Audit:   slog.New(slog.NewJSONHandler(&w.audit, nil)),
		Metrics: metrics, Limiter: NewLimiter(), Now: w.now, OnLogout: func(http.ResponseWriter, *http.Request) {},
		OnLogin: func(_ *http.Request, _ *session.Session, returnTo string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.logins = append(w.logins, returnTo)
		},
	})
	w.must(err)
}

// providerClient follows no redirects, as the real one.
func providerClient() *http.Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Timeout: 5 * time.Second, CheckRedirect: stay}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// serve is the gateway: its own endpoints, and protected pages everywhere else.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if w.began != nil {
		w.began(r)
	}
	site, _ := inbound.ParseSite(w.gateway.URL)
	r = inbound.New(inbound.Config{Sites: []*inbound.Site{site}}).Resolve(r)
	rec := &statusRecorder{ResponseWriter: rw}
	rw = rec
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		o := inbound.Of(r).Outcome
		w.judged = append(w.judged, judged{r.URL.Path, o})
		_, endpoint, own := strings.Cut(r.URL.Path, "/oauth2/")
		login := !own || endpoint == "callback" || endpoint == "start"
		failed := rec.status >= 400 && !slices.Contains([]int{401, 405, 429}, rec.status)
		if login && failed && (o.Reason == "" || !o.Login) {
			w.t.Errorf("%s fails with %d, and the log does not say why: %+v", r.URL.Path, rec.status, o)
		}
	}()
	if name, own := strings.CutPrefix(r.URL.Path, "/oauth2/"); own {
		w.handler.Endpoint(rw, r, name)
		return
	}
	s, err := w.sessions.Load(rw, r)
	if err == nil && r.URL.Path == "/forbidden/" {
		w.handler.deps.Pages.Write(rw, r, page.Page{
			Name: page.Forbidden, Status: http.StatusOK, Forms: []page.Form{w.handler.SwitchForm(r)},
			FormOrigins: w.handler.FormOrigins(),
		})
		return
	}
	if err == nil {
		io.WriteString(rw, "page for "+s.Email+" in "+strings.Join(s.Groups, ","))
		return
	}
	none := &session.NoSessionError{}
	if n, ok := err.(*session.NoSessionError); ok {
		none = n
	}
	w.handler.Begin(rw, r, none.Reason, 0)
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (w *statusRecorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// outcome is how the last request to the gateway was judged: what its log lines say.
func (w *world) outcome() inbound.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.judged[len(w.judged)-1].outcome
}

// reasonOf is the reason in the log line of the last request to a path.
func (w *world) reasonOf(path string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range slices.Backward(w.judged) {
		if j.path == path {
			return j.outcome.Reason
		}
	}
	return ""
}

type judged struct {
	path    string
	outcome inbound.Outcome
}

// browser keeps cookies and stops at each redirect when told to.
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

// atProvider goes to a protected page and ends on the provider's form.
func (w *world) atProvider(b *browser, path string) answer {
	w.t.Helper()
	form := b.get(w.gateway.URL + path)
	if form.Request.URL.Path != "/login" {
		w.t.Fatalf("%s led to %s (%d)\n%s", path, form.Request.URL, form.StatusCode, form.body)
	}
	return form
}

// consent fills in the form and returns the callback's address without going there.
func (w *world) consent(b *browser, form answer, who string) string {
	w.t.Helper()
	res := b.do(http.MethodPost, form.Request.URL.String(), url.Values{"username": {who}, "password": {"demo"}}, false)
	if res.StatusCode != http.StatusFound {
		w.t.Fatalf("the form answered %d\n%s", res.StatusCode, res.body)
	}
	return res.Header.Get("Location")
}

// login goes through everything and returns the page it ends on.
func (w *world) login(b *browser, path string) answer {
	w.t.Helper()
	return b.get(w.consent(b, w.atProvider(b, path), "alice@example.com"))
}
