package proxy

import (
	"bufio"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/stricthttp"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// stage is a gate between a real server and an origin, with stubs for all other collaborators.
type stage struct {
	gate   *Gate
	server *httptest.Server
	deps   *stubs
	reg    *prometheus.Registry
	loads  atomic.Int64 // sessions asked for
	begins atomic.Int64 // logins begun
	aged   atomic.Int64 // of those: for max_auth_age
	last   atomic.Pointer[inbound.Facts]
}

// visitors are the users by the value of the session cookie, with their groups.
var visitors = map[string][]string{"alice": {"partner"}, "bob": nil, "carol": nil}

func visitor(r *http.Request) (*session.Session, error) {
	c, err := r.Cookie("__Host-hubgate")
	if err != nil {
		return nil, &session.NoSessionError{Reason: session.CookieMissing}
	}
	if c.Value == "broken" {
		return nil, io.ErrUnexpectedEOF
	}
	groups, ok := visitors[c.Value]
	if !ok {
		return nil, &session.NoSessionError{Reason: session.RecordMissing}
	}
	now := time.Now()
	s := &session.Session{Ref: c.Value, CreatedAt: now, ExpiresAt: now.Add(time.Hour), Host: testHost}
	s.Email, s.EmailVerified, s.Groups = c.Value+"@example.com", c.Value != "carol", groups
	return s, nil
}

type staging struct {
	cfg     Config
	h2      bool
	trusted bool
	change  func(*stubs)
}

func testConfig(origin string, ruleSet ...rules.RuleConfig) Config {
	cfg := DefaultConfig()
	cfg.Origin, cfg.Default, cfg.Rules = origin, "public", ruleSet
	for i := range cfg.Rules {
		cfg.Rules[i].Line = i + 10
	}
	return cfg
}

const testHost = "www.example.com"

func loginRule(path string, groups ...string) rules.RuleConfig {
	return rules.RuleConfig{Path: []string{path}, Groups: groups}
}

func publicRule(path string) rules.RuleConfig {
	return rules.RuleConfig{Path: []string{path}, Access: "public"}
}

func newStage(t testing.TB, st staging) *stage {
	t.Helper()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{reg: prometheus.NewRegistry()}
	transport, err := NewTransport(st.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	site := &inbound.Site{Scheme: "https", Host: testHost}
	s.deps = &stubs{
		Deps: Deps{
			Pages: pages, Transport: transport, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(s.reg),
			Sites: []*inbound.Site{site}, AuthPrefix: "/oauth2", Now: time.Now,
			RulesEnv: rules.Env{
				Hosts: []string{testHost}, AuthPrefix: "/oauth2", ClockSkew: 10 * time.Second,
				Lists: map[string]string{"customers": "1234", "beta": "5678"}, Properties: []string{"member_tier"},
			},
			OwnsCookie: func(name string) bool {
				return name == "__Host-hubgate" || strings.HasPrefix(name, "__Host-hubgate-")
			},
		},
		ended:   func(string) (<-chan struct{}, func()) { return nil, func() {} },
		recheck: time.Hour,
	}
	s.deps.Sessions, s.deps.Login, s.deps.Reloads = s, s, s
	if st.change != nil {
		st.change(s.deps)
	}
	if s.gate, err = New(st.cfg, s.deps.Deps); err != nil {
		t.Fatal(err)
	}
	var trusted []netip.Prefix
	if st.trusted {
		trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	s.serve(t, inbound.New(inbound.Config{Sites: s.deps.Sites, Trusted: trusted}), st.h2)
	return s
}

// stubs are the dependencies of a stage's gate that tests change.
type stubs struct {
	Deps
	ended    func(ref string) (<-chan struct{}, func())
	redecide func(Open) bool // whether the session still admits it; nil to ask the gate about the same session
	recheck  time.Duration
	replaced chan struct{}
}

func (s *stage) Load(_ http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s.loads.Add(1)
	return visitor(r)
}

func (s *stage) Peek(r *http.Request) (*session.Session, error) { return visitor(r) }

func (s *stage) Ended(ref string) (<-chan struct{}, func()) { return s.deps.ended(ref) }

func (s *stage) Begin(w http.ResponseWriter, _ *http.Request, _ session.Reason, maxAge time.Duration) {
	s.begins.Add(1)
	if maxAge > 0 {
		s.aged.Add(1)
	}
	w.Header().Set("Location", "https://idp.example.com/authorize")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

func (s *stage) SwitchForm(*http.Request) page.Form {
	return page.Form{Label: page.LabelUseOther, Action: "/oauth2/sign_out"}
}

func (s *stage) FormOrigins() []string { return nil }

func (s *stage) Redecide(o Open) (rules.Decision, time.Duration) {
	if s.deps.redecide == nil {
		d, _ := s.gate.Redecide(o, o.Session)
		return d, s.deps.recheck
	}
	if s.deps.redecide(o) {
		return rules.Decision{Kind: rules.Allow}, s.deps.recheck
	}
	return rules.Decision{Kind: rules.Login, Reason: rules.ReasonNoSession}, s.deps.recheck
}

func (s *stage) Replaced() <-chan struct{} { return s.deps.replaced }

// serve starts a server that is as strict as the real one.
func (s *stage) serve(t testing.TB, facts *inbound.Resolver, h2 bool) {
	s.server = httptest.NewUnstartedServer(stricthttp.Paced(stricthttp.Prompt(facts.Wrap(http.HandlerFunc(s.front)))))
	s.server.Config.DisableGeneralOptionsHandler = true
	s.server.Config.MaxHeaderBytes = 32 << 10
	s.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	s.server.EnableHTTP2 = h2
	if h2 {
		s.server.StartTLS()
	} else {
		s.server.Listener = stricthttp.NewListener(s.server.Listener, nil, 0)
		s.server.Start()
	}
	t.Cleanup(s.server.Close)
}

// front handles a request as the middleware does before the gate.
func (s *stage) front(w http.ResponseWriter, r *http.Request) {
	s.last.Store(inbound.Of(r))
	if inbound.Of(r).Site == nil {
		w.WriteHeader(http.StatusMisdirectedRequest)
		return
	}
	p, err := urlpath.ParseTarget(r)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if rest, own := p.Under("/oauth2"); own {
		if rest == "auth" {
			s.gate.Check(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.gate.Serve(w, r, p)
}

// raw sends bytes unchanged and returns all responses until the connection ends.
func (s *stage) raw(t testing.TB, request string) string {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Logf("writing: %v", err)
	}
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

func (s *stage) dial(t testing.TB) net.Conn {
	t.Helper()
	address := s.server.Listener.Addr().String()
	var conn net.Conn
	var err error
	if s.server.TLS != nil {
		conn, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	} else {
		conn, err = net.Dial("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// answer is the response to one raw request.
type answer struct {
	*http.Response
	body string
}

// get sends a raw request line and headers over HTTP/1.1 and reads one response.
func (s *stage) get(t testing.TB, method, target string, headers ...string) answer {
	t.Helper()
	conn := s.dial(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, method+" "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n"+strings.Join(append(headers, "", ""),
		"\r\n"))
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %q: %v", method, target, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return answer{res, string(body)}
}

const (
	navigate = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nAccept: text/html"
	asAlice  = "Cookie: __Host-hubgate=alice"
	asBob    = "Cookie: __Host-hubgate=bob"
)

func newOrigin(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	origin := httptest.NewUnstartedServer(handler)
	origin.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	origin.Start()
	t.Cleanup(origin.Close)
	return origin
}
