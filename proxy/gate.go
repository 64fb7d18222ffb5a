package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// Sessions finds the sessions of requests. session.ErrNoSession means "not logged in", every other error "cannot tell".
type Sessions interface {
	// Load returns the session of a request and resets its idle timeout.
	Load(http.ResponseWriter, *http.Request) (*session.Session, error)
	// Peek returns the session of a request and leaves its idle timeout alone.
	Peek(*http.Request) (*session.Session, error)
	// Ended returns a channel that is closed when a session ends or changes, and a function that releases it.
	Ended(ref string) (<-chan struct{}, func())
}

// Login logs visitors in.
type Login interface {
	// Begin answers a top-level navigation with a login. With maxAge > 0 the provider must authenticate the user again.
	Begin(w http.ResponseWriter, r *http.Request, why session.Reason, maxAge time.Duration)
	// SwitchForm returns the button of the 403 page that logs in another user.
	SwitchForm(*http.Request) page.Form
	// FormOrigins returns where the redirects of that button may lead.
	FormOrigins() []string
}

// Reloads applies the rules and sessions in force now to exchanges that were admitted earlier.
type Reloads interface {
	// Redecide reports whether an open exchange is still admitted, and when to ask again.
	Redecide(Open) (admitted bool, again time.Duration)
	// Replaced returns a channel that is closed when a reload replaces the rules in force now.
	Replaced() <-chan struct{}
}

// Deps are the collaborators of a Gate.
type Deps struct {
	Sessions  Sessions
	Login     Login
	Reloads   Reloads
	Pages     *page.Pages
	Transport http.RoundTripper // to the origin; process-long
	Log       *slog.Logger
	Metrics   *Metrics
	Sites     []*inbound.Site
	// AuthPrefix is the prefix of the gateway's own endpoints.
	AuthPrefix string
	// ForwardAuth is auth.forward_auth: where /oauth2/auth finds its question.
	ForwardAuth string
	// ClockSkew is how far the provider's clock may be off, for max_auth_age.
	ClockSkew time.Duration
	// OwnsCookie reports whether a cookie is the gateway's own: it is neither sent to the origin nor accepted from it.
	OwnsCookie func(name string) bool
	// Leaving is closed when the process stops serving: open connections are told to reconnect.
	Leaving <-chan struct{}
	Now     func() time.Time
}

// Gate decides for every request whether it may pass, and passes it on. It is immutable; a reload makes a new one.
type Gate struct {
	cfg    Config
	deps   Deps
	rules  *rules.Set
	origin *url.URL
	host   string // the Host header for the origin
	proxy  *httputil.ReverseProxy
	// buffers are for pieces of answers.
	buffers buffers
	// refused says which mistakes of servers that ask /oauth2/auth have been logged lately.
	refused refusalLog
	// clientHeaders are the names of the configuration's client_ip_headers as net/http spells them.
	clientHeaders []string
}

// New makes a gate. The configuration must have passed Validate and NewRules.
func New(cfg Config, deps Deps) (*Gate, error) {
	hosts := make([]string, len(deps.Sites))
	for i, s := range deps.Sites {
		hosts[i] = s.Host
	}
	ruleSet, problems := rules.New(cfg.AccessRules(), rules.Env{Hosts: hosts, AuthPrefix: deps.AuthPrefix, ClockSkew: deps.ClockSkew})
	for _, p := range problems {
		if !p.Warning {
			return nil, errors.New("proxy: " + p.Key + ": " + p.Text)
		}
	}
	origin, err := url.Parse(cfg.Origin)
	if err != nil || origin.Host == "" {
		return nil, errors.New("proxy: proxy.origin is no URL")
	}
	g := &Gate{cfg: cfg, deps: deps, rules: ruleSet, origin: origin, host: cfg.OriginHost}
	if g.host == "" {
		g.host = origin.Host
	}
	for _, name := range cfg.ClientIPHeaders {
		g.clientHeaders = append(g.clientHeaders, http.CanonicalHeaderKey(name))
	}
	g.proxy = g.newProxy()
	return g, nil
}

// Rules are the compiled rules: for explain, diff and the test page.
func (g *Gate) Rules() *rules.Set { return g.rules }

// Serve judges a request by its canonical path and answers it or passes it on. A public page is passed on before
// anybody asks who is there, so neither Redis nor the provider is touched.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, p urlpath.Path) {
	facts := inbound.Of(r)
	if len(r.TransferEncoding) > 0 {
		// net/http lets chunked win over a Content-Length and keeps the connection; RFC 9112 6.1 wants it closed, for
		// another server in front may have counted otherwise (CL.TE smuggling, SM-01).
		closeAfter(w, r)
	}
	match, params := g.rules.Match(facts.Site.Host, p), urlpath.ParsePreviewParams(r.URL.RawQuery)
	decision := match.Decide(r.Method, params, nil, g.deps.Now())
	why := session.CookieMissing
	var s *session.Session
	if decision.Kind == rules.Login {
		var err error
		s, err = g.deps.Sessions.Load(w, r)
		var none *session.NoSessionError
		switch {
		case errors.As(err, &none):
			why = none.Reason
		case errors.Is(err, session.ErrNoSession):
		case err != nil: // cannot tell: never let through, never log out (SE-04)
			g.setOutcome(r, rules.Decision{Kind: "error", Reason: "store", Rule: decision.Rule}, nil)
			facts.Outcome.Err = err
			g.deps.Pages.Write(w, r, page.Page{Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: "store", RetryAfter: storeRetry})
			return
		default:
			decision = match.Decide(r.Method, params, s, g.deps.Now())
		}
	}
	g.setOutcome(r, decision, s)
	switch decision.Kind {
	case rules.Public, rules.Allow:
		g.forward(w, r, &exchange{path: p, params: params, protected: decision.Kind == rules.Allow, session: s})
	case rules.Login:
		g.login(w, r, p, loginFor{decision, why})
	case rules.Forbid:
		g.forbid(w, r, decision, s)
	default:
		g.refuse(w, r, decision)
	}
}

// closeAfter ends the connection with this answer. In HTTP/2 there is no need: the next request cannot be mistaken for
// this one's rest.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}

// setOutcome leaves the decision for the log line and the metrics.
func (g *Gate) setOutcome(r *http.Request, d rules.Decision, s *session.Session) {
	o := &inbound.Of(r).Outcome
	o.Rule, o.Decision, o.Reason = d.Rule.Name, string(d.Kind), d.Reason
	if s != nil {
		o.SessionRef, o.Email = s.Ref, s.Email
	}
}

// loginFor is why somebody must log in.
type loginFor struct {
	decision rules.Decision
	why      session.Reason
}

// login sends a top-level navigation to the provider; everything else gets 401, for a script, a frame or a form cannot
// log in.
func (g *Gate) login(w http.ResponseWriter, r *http.Request, p urlpath.Path, needed loginFor) {
	w.Header().Add("Vary", "Sec-Fetch-Mode, Sec-Fetch-Dest, Accept, Cookie")
	if inbound.Navigates(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if needed.decision.MaxAge > 0 {
			needed.why = ""
		}
		g.deps.Login.Begin(w, r, needed.why, needed.decision.MaxAge)
		return
	}
	g.loginRequired(w, r, p)
}

// loginRequired is the 401 for whatever cannot log in by itself.
func (g *Gate) loginRequired(w http.ResponseWriter, r *http.Request, p urlpath.Path) {
	back := p.Escaped()
	if r.URL.RawQuery != "" {
		back += "?" + r.URL.RawQuery
	}
	answer := page.Page{Name: page.LoginRequired, Status: http.StatusUnauthorized, LoginURL: g.deps.AuthPrefix + "/start?rd=" + url.QueryEscape(back)}
	answer.Links = []page.Link{{Label: page.LabelLogin, URL: answer.LoginURL}}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && inbound.Navigates(r) {
		answer.Name = page.NothingSaved
		answer.Links = []page.Link{{Label: page.LabelBack, URL: back}}
	}
	g.deps.Pages.Write(w, r, answer)
}

func (g *Gate) forbid(w http.ResponseWriter, r *http.Request, d rules.Decision, s *session.Session) {
	answer := page.Page{Name: page.Forbidden, Status: http.StatusForbidden, Args: map[string]string{"account": account(s)}}
	if d.Reason == rules.ReasonStillOld {
		answer.Name = page.LoginTooOld
	}
	answer.Forms = []page.Form{g.deps.Login.SwitchForm(r)}
	answer.FormOrigins = g.deps.Login.FormOrigins()
	answer.Links = []page.Link{{Label: page.LabelHome, URL: "/"}}
	g.deps.Pages.Write(w, r, answer)
}

// account is how the page names the visitor to themselves.
func account(s *session.Session) string {
	for _, name := range []string{s.Email, s.Name, s.Subject} {
		if name != "" {
			return name
		}
	}
	return ""
}

func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, d rules.Decision) {
	answer := page.Page{Name: page.Refused, Status: d.Status, Cause: d.Reason}
	if d.Status == http.StatusMethodNotAllowed {
		answer = page.Page{Name: page.MethodRefused, Status: d.Status}
		w.Header().Set("Allow", d.Allow)
		closeAfter(w, r) // what follows an odd method on this connection may be odd too (PB-22)
	}
	g.deps.Pages.Write(w, r, answer)
}
