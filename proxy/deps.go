package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// Sessions finds the sessions of requests. session.ErrNoSession means "not logged in", every other error "unknown".
type Sessions interface {
	// Load returns the session of a request and resets its idle timeout.
	Load(http.ResponseWriter, *http.Request) (*session.Session, error)
	// Peek returns the session of a request and leaves its idle timeout alone.
	Peek(*http.Request) (*session.Session, error)
	// Ended returns a channel that is closed when a session ends or changes, and a function that releases it.
	Ended(ref string) (<-chan struct{}, func())
}

// CRM knows what HubSpot says about people.
type CRM interface {
	// Know returns what is known about the person of a session, or nil, and why there is nothing, or nothing newer. It
	// may ask HubSpot, and waits for the answer until ctx ends. With denied, the last answer denied access, and must be
	// recent to do so again.
	Know(ctx context.Context, s *session.Session, denied bool) (*session.CRM, error)
	// Watch returns a channel that is closed when what is known about the person changes, and a function that releases
	// it.
	Watch(s *session.Session) (<-chan struct{}, func())
}

// Login logs visitors in.
type Login interface {
	// Begin redirects a top-level navigation to a login. With maxAge > 0 the provider must authenticate the user again.
	Begin(w http.ResponseWriter, r *http.Request, reason session.Reason, maxAge time.Duration)
	// SwitchForm returns the button of the 403 page that logs in another user.
	SwitchForm(*http.Request) page.Form
	// FormOrigins returns the origins that redirects of that button may lead to.
	FormOrigins() []string
}

// Reloads applies the rules and sessions in force now to exchanges that were admitted earlier.
type Reloads interface {
	// Redecide decides about an open exchange, and reports when to ask again. The Kind "error" with the Reason "store"
	// means that the session cannot be loaded.
	Redecide(Open) (d rules.Decision, again time.Duration)
	// Replaced returns a channel that is closed when a reload replaces the rules in force now.
	Replaced() <-chan struct{}
}

// Deps are the collaborators of a Gate.
type Deps struct {
	Sessions  Sessions
	CRM       CRM // nil if no rule asks for lists or contact properties
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
	// RulesEnv is what the rules need of the rest of the configuration.
	RulesEnv rules.Env
	// OwnsCookie reports whether a cookie is the gateway's own: it is neither sent to the origin nor accepted from it.
	OwnsCookie func(name string) bool
	// Leaving is closed when the process stops serving: open connections are told to reconnect.
	Leaving <-chan struct{}
	Now     func() time.Time
}
