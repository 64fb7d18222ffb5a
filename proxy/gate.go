package proxy

import (
	"cmp"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// Gate decides for every request whether it may pass, and forwards it. It never changes; a reload makes a new one.
type Gate struct {
	cfg     Config
	deps    Deps
	rules   *rules.Set
	origin  *url.URL
	host    string // the Host header for the origin
	proxy   *httputil.ReverseProxy
	buffers buffers    // for pieces of responses
	refused refusalLog // refused questions to /oauth2/auth that were logged recently
	// questionRule names what such a question itself asks for.
	questionRule rules.Ref
	// clientHeaders are the names in client_ip_headers in canonical form.
	clientHeaders []string
}

// New makes a gate. The configuration must have passed Validate.
func New(cfg Config, deps Deps) (*Gate, error) {
	ruleSet, problems := rules.New(cfg.AccessRules(), deps.RulesEnv)
	for _, p := range problems {
		if !p.Warning {
			return nil, errors.New("proxy: " + p.Key + ": " + p.Text)
		}
	}
	origin, err := url.Parse(cfg.Origin)
	if err != nil || origin.Host == "" {
		return nil, errors.New("proxy: proxy.origin: not a URL")
	}
	g := &Gate{cfg: cfg, deps: deps, rules: ruleSet, origin: origin, host: cmp.Or(cfg.OriginHost, origin.Host)}
	for _, name := range cfg.ClientIPHeaders {
		g.clientHeaders = append(g.clientHeaders, http.CanonicalHeaderKey(name))
	}
	g.questionRule = ruleSet.Only(rules.RuleConfig{}).Decide("GET", urlpath.ParsePreviewParams(""), nil, time.Time{}).Rule
	g.proxy = g.newProxy()
	return g, nil
}

// Rules returns the compiled rules, for explain, diff and the test page.
func (g *Gate) Rules() *rules.Set { return g.rules }

// Serve responds to a request, or forwards it, by its canonical path. A public page needs neither Redis nor the
// provider.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, p urlpath.Path) {
	if len(r.TransferEncoding) > 0 {
		// net/http prefers chunked to Content-Length and keeps the connection open. RFC 9112, section 6.1, wants it
		// closed: a server in front may have used the length (request smuggling, CWE-444).
		closeAfter(w, r)
	}
	v := visit{
		match:  g.rules.Match(inbound.Of(r).Site.Host, p),
		params: urlpath.ParsePreviewParams(r.URL.RawQuery),
		reason: session.CookieMissing,
	}
	if err := g.decide(w, r, &v); err != nil { // access cannot be determined: nothing is served, nobody is logged out
		setOutcome(r, rules.Decision{Kind: "error", Reason: "store", Rule: v.decision.Rule}, nil)
		inbound.Of(r).Outcome.Err = err
		g.deps.Pages.Write(w, r, unavailable())
		return
	}
	if v.decision.Unknown() {
		g.membershipUnknown(w, r, v)
		return
	}
	setOutcome(r, v.decision, v.session)
	switch v.decision.Kind {
	case rules.Public, rules.Allow:
		protected := v.decision.Kind == rules.Allow
		g.forward(w, r, &exchange{path: p, params: v.params, protected: protected, session: v.session})
	case rules.Login:
		g.login(w, r, p, v)
	case rules.Forbid:
		g.forbid(w, r, v.decision, v.session)
	default:
		g.refuse(w, r, v.decision)
	}
}

// visit is what is known about a request while it is decided.
type visit struct {
	match    rules.Match
	params   urlpath.PreviewParams
	decision rules.Decision
	session  *session.Session // nil if it was not needed, or there is none
	reason   session.Reason   // why there is none
	unknown  error            // why the decision is unknown, if it is
}

// decide decides about a visit. It loads the session only if the path needs a login, and asks what HubSpot knows only
// if the rule does. An error means that access cannot be determined.
func (g *Gate) decide(w http.ResponseWriter, r *http.Request, v *visit) error {
	v.decision = v.match.Decide(r.Method, v.params, nil, g.deps.Now())
	if v.decision.Kind != rules.Login {
		return nil
	}
	s, err := g.deps.Sessions.Load(w, r)
	if none := (*session.NoSessionError)(nil); errors.As(err, &none) {
		v.reason = none.Reason
	}
	switch {
	case errors.Is(err, session.ErrNoSession):
		return nil
	case err != nil:
		return err
	}
	v.session = s
	v.decision, _, v.unknown = g.judge(r.Context(), s, func(s *session.Session) rules.Decision {
		return v.match.Decide(r.Method, v.params, s, g.deps.Now())
	})
	return nil
}

// setOutcome records the decision for the log line and the metrics.
func setOutcome(r *http.Request, d rules.Decision, s *session.Session) {
	o := &inbound.Of(r).Outcome
	o.Set(d.Rule.Name, string(d.Kind), d.Reason)
	if s != nil {
		o.SessionRef, o.Email = s.Ref, s.Email
	}
}

// closeAfter closes an HTTP/1 connection after this response. HTTP/2 does not need it: the next request cannot be
// mistaken for the rest of this one.
func closeAfter(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}
