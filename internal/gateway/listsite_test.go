package gateway

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/fakesite"
	"github.com/hubgate/hubgate/session"
)

// listSite is a gateway whose rules ask a fake HubSpot for lists and a property.
type listSite struct {
	*running
	hubspot *fakehubspot.Server
	down    atomic.Bool  // HubSpot answers no call
	calls   atomic.Int64 // to HubSpot
	server  *httptest.Server
	cookies map[string]string // by e-mail address

	mu     sync.Mutex
	offset time.Duration
}

const listYAML = `version: 1
server: {public_urls: ["http://localhost:8080"], admin_token: "${file:admin_token}"}
proxy:
  origin: ORIGIN
  default: public
  rules:
    - path: /customers/**
      lists: [customers]
    - {path: /members/echo, lists: [customers]}
    - {path: /gold/**, claims: {"hubspot.member_tier": [gold]}}
    - path: /login/**
auth: {issuer: "http://127.0.0.1:9/pool", client_id: client, client_secret: "${SECRET}", admin_groups: [admin]}
session: {keys: ["${KEY}"], redis: {mode: embedded}}
hubspot:
  access_token: token
  api_url: HUBSPOT
  contacts: {sync: false}
  access: {lists: {customers: 1234, beta: 5678}, properties: [member_tier]}
`

func newListSite(t *testing.T) *listSite {
	t.Helper()
	s := &listSite{cookies: map[string]string{}}
	s.hubspot = fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/account-info/") { // one call for a token, before there are visitors
			s.calls.Add(1)
		}
		if s.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.hubspot.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	site := fakesite.New(fakesite.Config{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/echo") {
			site.ServeHTTP(w, r)
			return
		}
		io.WriteString(w, "the page of "+r.URL.Path)
	}))
	t.Cleanup(origin.Close)
	s.hubspot.AddList(fakehubspot.List{ID: "1234", Name: "Customers"})
	s.hubspot.AddList(fakehubspot.List{ID: "5678", Name: "Beta"})
	s.running = startRunning(t, strings.NewReplacer("ORIGIN", origin.URL, "HUBSPOT", api.URL).Replace(listYAML), s.clock)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.access.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	s.server = httptest.NewServer(s.gateway)
	t.Cleanup(s.server.Close)
	return s
}

func (s *listSite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.offset)
}

// pass moves the clock of HubSpot's answers.
func (s *listSite) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

// person adds a contact in some lists and returns its id.
func (s *listSite) person(email, tier string, lists ...string) (id string) {
	id = s.hubspot.Add(map[string]string{"email": email, "member_tier": tier})
	for _, list := range lists {
		s.hubspot.Join(list, id)
	}
	return id
}

// login logs a person in, whose address is verified. change may be nil.
func (s *listSite) login(email string, change func(*session.Session)) *session.Session {
	s.t.Helper()
	gen := s.current.Load()
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/", nil)
	r = r.WithContext(inbound.With(r.Context(), &inbound.Facts{Site: gen.sites[0]}))
	user := session.User{
		Issuer: gen.provider.Issuer(), Subject: "sub-" + email, Email: email, EmailVerified: true, Claims: map[string]any{},
	}
	start := session.Session{
		User: user, ClientID: gen.provider.ClientID(),
		Tokens: session.Tokens{Access: "a", Refresh: "r", AccessExpiry: time.Now().Add(time.Hour)},
	}
	if change != nil {
		change(&start)
	}
	w := httptest.NewRecorder()
	started, err := s.sessions.Start(w, r, start)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cookies[email] = strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
	return started
}

// open requests a page as a person, "" for an anonymous visitor.
func (s *listSite) open(email, target string) (status int, body string) {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.server.URL+target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Host = "localhost:8080"
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Mode", "cors") // starts no login
	if email != "" {
		r.Header.Set("Cookie", s.cookies[email])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// want reports a status that differs.
func (s *listSite) want(email, target string, status int, text string) {
	s.t.Helper()
	if got, body := s.open(email, target); got != status || !strings.Contains(body, text) {
		_, body, _ = strings.Cut(body, "<main>")
		s.t.Errorf("%s as %s: %d, want %d with %q:\n%s", target, email, got, status, text, body)
	}
}
