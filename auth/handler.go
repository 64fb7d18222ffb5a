package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// Sessions is what the login needs of the sessions.
type Sessions interface {
	Start(w http.ResponseWriter, r *http.Request, s session.Session) (*session.Session, error)
	Peek(r *http.Request) (*session.Session, error)
	End(w http.ResponseWriter, r *http.Request) (*session.Session, error)
	EndEverywhere(w http.ResponseWriter, r *http.Request) (*session.Session, error)
}

// Ender ends sessions from outside their browser.
type Ender interface {
	EndUser(ctx context.Context, issuer, subject string) (int, error)
	EndSID(ctx context.Context, issuer, sid string) (int, error)
}

// Deps is what a Handler works with.
type Deps struct {
	Provider  *Provider
	Sessions  Sessions
	Ender     Ender
	Redis     redis.UniversalClient // claims and results of attempts
	KeyPrefix string
	Ring      *seal.Ring
	Pages     *page.Pages
	Log       *slog.Logger
	Audit     *slog.Logger // is told each logout
	Metrics   *Metrics
	Limiter   *Limiter // process-long: a reload does not forgive
	Now       func() time.Time
	// OnLogin is told each login before the visitor gets an answer; OnLogout each logout.
	OnLogin  func(r *http.Request, s *session.Session, returnTo string)
	OnLogout func(w http.ResponseWriter, r *http.Request)
}

// Handler answers the gateway's own endpoints and begins logins. Its settings are immutable; a reload makes a new one.
type Handler struct {
	cfg     Config
	deps    Deps
	waiting *waiting
}

// New makes a Handler of a valid configuration.
func New(cfg Config, deps Deps) (*Handler, error) {
	if deps.Provider == nil || deps.Sessions == nil || deps.Redis == nil || deps.Ring == nil || deps.Pages == nil || deps.Now == nil {
		return nil, errors.New("auth: New needs Provider, Sessions, Redis, Ring, Pages and Now")
	}
	if deps.Audit == nil {
		deps.Audit = slog.New(slog.DiscardHandler)
	}
	return &Handler{cfg: cfg, deps: deps, waiting: &waiting{of: map[string]int{}}}, nil
}

// endpointsOf are the gateway's own endpoints that this package answers.
var endpointsOf = map[string]struct {
	methods string
	serve   func(*Handler, http.ResponseWriter, *http.Request)
}{
	"start":              {"GET HEAD", (*Handler).start},
	"callback":           {"GET", (*Handler).callback},
	"sign_out":           {"GET HEAD POST", (*Handler).signOut},
	"signed_out":         {"GET HEAD", (*Handler).signedOut},
	"userinfo":           {"GET HEAD", (*Handler).userinfo},
	"session":            {"GET HEAD", (*Handler).mySession},
	"backchannel_logout": {"POST", (*Handler).backchannel},
}

// Known tells whether name is one of the endpoints.
func Known(name string) bool { return endpointsOf[name].serve != nil }

// MaxBody bounds what the gateway's own endpoints read: more is 413 (DS-08).
const MaxBody = 64 << 10

// Endpoint answers one of the gateway's own endpoints; name is what follows the prefix. What it does not know is a 404 of its own:
// nothing under the prefix ever reaches the origin.
func (h *Handler) Endpoint(w http.ResponseWriter, r *http.Request, name string) {
	endpoint, ok := endpointsOf[name]
	if name == "backchannel_logout" && !h.cfg.BackchannelLogout {
		ok = false
	}
	if !ok {
		h.deps.Pages.Write(w, r, page.Page{Name: page.NotFound, Status: http.StatusNotFound})
		return
	}
	methods := strings.Fields(endpoint.methods)
	if !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		h.deps.Pages.Write(w, r, page.Page{Name: page.MethodRefused, Status: http.StatusMethodNotAllowed})
		return
	}
	if r.ContentLength > MaxBody {
		w.Header().Set("Connection", "close")
		h.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	endpoint.serve(h, w, r)
}

// refuseBody answers a form that cannot be read.
func (h *Handler) refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	answer := page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "body"}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		answer = page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge}
	}
	h.deps.Pages.Write(w, r, answer)
}

func (h *Handler) redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store") // a login that is kept by a cache is somebody else's (CA-02)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
}

// note writes the cause of a failed login into the request's line.
func note(r *http.Request, reason string, err error) {
	o := &inbound.Of(r).Outcome
	o.Reason, o.Err = reason, err
	if err != nil {
		o.Decision = "error"
	}
}

// recovered makes an error of a panic. What runs for several visitors at once runs in a goroutine that net/http does
// not guard.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("auth: panic: %v", v)
	}
}

// startURL is where a new login to a page begins.
func (h *Handler) startURL(returnTo string) string {
	return h.cfg.Prefix + "/start?rd=" + queryEscape(returnTo)
}

// failed shows why a login could not be finished, and the way to a new one.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, status int, cause, returnTo string) {
	if o := &inbound.Of(r).Outcome; o.Reason == "" {
		o.Reason = cause // no failing login without its cause in the log
	}
	h.deps.Metrics.finished.WithLabelValues("failed", cause).Inc()
	answer := page.Page{
		Name: page.LoginFailed, Status: status, Cause: cause,
		Links: []page.Link{{Label: page.LabelRetry, URL: h.startURL(returnTo)}, {Label: page.LabelHome, URL: "/"}},
	}
	if status == http.StatusServiceUnavailable {
		answer.RetryAfter = retryAfter
	}
	h.deps.Pages.Write(w, r, answer)
}

// retryAfter is when it makes sense to ask again for what is unavailable.
const retryAfter = 5 * time.Second

// unavailable asks to try again, at the address retry or, when that is empty, at the same one: the provider or the store gives no
// answer.
func (h *Handler) unavailable(w http.ResponseWriter, r *http.Request, cause, retry string) {
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: cause, RetryAfter: retryAfter,
		Links: []page.Link{{Label: page.LabelRetry, URL: retry}},
	})
}

// misconfiguredPage says that nothing the visitor does helps.
func (h *Handler) misconfiguredPage(w http.ResponseWriter, r *http.Request) {
	h.deps.Metrics.finished.WithLabelValues("failed", causeSettings).Inc()
	h.deps.Pages.Write(w, r, page.Page{Name: page.Misconfigured, Status: http.StatusInternalServerError, Cause: causeSettings})
}
