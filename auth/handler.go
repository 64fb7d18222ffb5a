package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// Sessions keeps the sessions of browsers.
type Sessions interface {
	SessionStarter
	SessionEnder
}

// SessionStarter starts and reads sessions.
type SessionStarter interface {
	Start(w http.ResponseWriter, r *http.Request, s session.Session) (*session.Session, error)
	Peek(r *http.Request) (*session.Session, error)
}

// SessionEnder ends the session of a browser.
type SessionEnder interface {
	End(w http.ResponseWriter, r *http.Request) (*session.Session, error)
	EndEverywhere(w http.ResponseWriter, r *http.Request) (*session.Session, error)
}

// Ender ends sessions without a request of their browser, and returns their number. CountUser only counts them.
type Ender interface {
	CountUser(ctx context.Context, issuer, subject string) (int, error)
	EndUser(ctx context.Context, issuer, subject string) (int, error)
	EndSID(ctx context.Context, issuer, sid string) (int, error)
}

// Deps are the dependencies of a Handler.
type Deps struct {
	Provider  *openid.Provider
	Sessions  Sessions
	Ender     Ender
	Redis     redis.UniversalClient // for claims and results of attempts
	KeyPrefix string                // of Redis keys
	Ring      *seal.Ring
	Pages     *page.Pages
	Log       *slog.Logger
	Audit     *slog.Logger // for logouts; may be nil
	Metrics   *Metrics
	Limiter   *Limiter // process-long, so that a reload does not reset the limits
	Now       func() time.Time
	// Lists returns the names of HubSpot's lists that the person is in, nil if that is unknown. It is nil if no lists are
	// configured.
	Lists func(ctx context.Context, s *session.Session) []string
	// OnLogin runs after each login, before the visitor is redirected. OnLogout runs after each logout.
	OnLogin  func(r *http.Request, s *session.Session, returnTo string)
	OnLogout func(w http.ResponseWriter, r *http.Request)
}

// Handler serves the gateway's own endpoints and begins logins. Its settings are immutable; a reload creates another
// one.
type Handler struct {
	cfg      Config
	deps     Deps
	replies  replies
	attempts attempts
	claims   *claims
	loops    loops
	logout   *logout
	errors   errorLog
	serve    map[string]http.HandlerFunc // by endpoint
}

// New returns the Handler of a valid configuration.
func New(cfg Config, deps Deps) (*Handler, error) {
	if deps.Provider == nil || deps.Sessions == nil || deps.Redis == nil || deps.Ring == nil || deps.Pages == nil ||
		deps.Now == nil {
		return nil, errors.New("auth: New needs Provider, Sessions, Redis, Ring, Pages and Now")
	}
	if deps.Audit == nil {
		deps.Audit = slog.New(slog.DiscardHandler)
	}
	jar := cookies{deps.Ring}
	h := &Handler{
		cfg: cfg, deps: deps, attempts: attempts{jar}, claims: newClaims(deps), loops: loops{jar, deps.Now},
		replies: replies{pages: deps.Pages, metrics: deps.Metrics, prefix: cfg.Prefix, result: resultFailed},
	}
	h.logout = &logout{
		cfg: cfg, deps: deps, cookies: jar, loops: h.loops,
		tokens: formTokens{cookies: jar, sessions: deps.Sessions, now: deps.Now},
	}
	me := account{deps, h.replies, h.logout}
	back := backchannel{deps, h.replies}
	h.serve = map[string]http.HandlerFunc{
		"start": h.start, "callback": h.callback, "sign_out": h.logout.serve, "signed_out": h.signedOut,
		"userinfo": me.userinfo, "session": me.page, "backchannel_logout": back.serve,
	}
	return h, nil
}

// endpointMethods are the gateway's own endpoints of this package, with their methods.
var endpointMethods = map[string][]string{
	"start":              {"GET", "HEAD"},
	"callback":           {"GET"},
	"sign_out":           {"GET", "HEAD", "POST"},
	"signed_out":         {"GET", "HEAD"},
	"userinfo":           {"GET", "HEAD"},
	"session":            {"GET", "HEAD"},
	"backchannel_logout": {"POST"},
}

// Known reports whether name is an endpoint of this package.
func Known(name string) bool { return endpointMethods[name] != nil }

// maxBody bounds the request bodies of the gateway's own endpoints (resource exhaustion, CWE-400). Larger ones get 413.
const maxBody = 64 << 10

// Endpoint serves one of the gateway's own endpoints. name is the path after the prefix. Unknown names get the
// gateway's own 404, because no request below the prefix may reach the origin.
func (h *Handler) Endpoint(w http.ResponseWriter, r *http.Request, name string) {
	methods := endpointMethods[name]
	switch {
	case methods == nil, name == "backchannel_logout" && !h.cfg.BackchannelLogout:
		h.deps.Pages.Write(w, r, page.Page{Name: page.NotFound, Status: http.StatusNotFound})
		return
	case !slices.Contains(methods, r.Method):
		w.Header().Set("Allow", strings.Join(methods, ", "))
		h.deps.Pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	case r.ContentLength > maxBody:
		w.Header().Set("Connection", "close")
		h.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	h.serve[name](w, r)
}

// FormOrigins returns the form-action sources that the gateway's buttons need.
func (h *Handler) FormOrigins() []string { return h.logout.formOrigins() }

// SwitchForm returns the button "use another account". It logs out here and at the provider, and begins a login to the
// requested page.
func (h *Handler) SwitchForm(r *http.Request) page.Form { return h.logout.switchForm(r) }

// Traceparent returns the span that began the login which a callback finishes, or "" if this browser began none.
func (h *Handler) Traceparent(r *http.Request) string {
	st, ok := parseState(h.deps.Ring, r.URL.Query().Get("state"))
	if !ok {
		return ""
	}
	if a := h.attempts.find(r, st); a != nil {
		return a.Trace
	}
	return ""
}

// note sets the reason and the error of a failed login in the request's log line.
func note(r *http.Request, reason string, err error) {
	o := &inbound.Of(r).Outcome
	o.Reason, o.Err = reason, err
	if err != nil {
		o.Decision = "error"
	}
}
