// Package inbound works out one request's facts once, before anything else looks at it: its id, the client's address, the
// scheme the visitor used and the public host that was asked for. What trusted proxies say is applied here and nowhere else.
//
// It imports nothing of hubgate.
package inbound

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Facts are what is known about one request, whatever its headers claim.
type Facts struct {
	ID     string     // request id: 26 characters of a closed alphabet; a trusted proxy's X-Request-Id is kept when it is as tame
	Client netip.Addr // the visitor's address; the peer's own when no trusted proxy names another
	Peer   netip.Addr // the address of the TCP connection
	// Trusted tells that the peer is a trusted proxy; only then may X-Forwarded-*, X-Request-Id and traceparent be believed.
	Trusted bool
	// Scheme is http or https as the visitor used it; "" when TLS ends in front and the trusted proxy does not say.
	Scheme string
	// Site is the public URL that was asked for; nil when the Host is none of ours.
	Site *Site
	// RedirectTo is the site to which another name of it redirects; nil otherwise.
	RedirectTo *Site
	// UntrustedForwarding tells that an untrusted private peer sent X-Forwarded-For: most likely a balancer that nobody listed.
	UntrustedForwarding bool
	// Traceparent is the span of this request in W3C form, "" without tracing: what later parts of the same login are to join.
	Traceparent string
	// TraceID is what an exemplar may point at: the id of the request's trace when it is recorded, else "".
	TraceID string
	// Outcome is what the handlers found out, for the log line and the metrics. Only the goroutine that serves the request writes it.
	Outcome Outcome
}

// Outcome is how a request was judged.
type Outcome struct {
	Rule       string // name of the rule that decided, "" before the gate
	Endpoint   string // the gateway's own endpoint that answers, in its one spelling; "" for the site
	Decision   string // public allow login forbid refuse, or error
	Reason     string // closed word: why
	SessionRef string // the session's Ref, when there is one
	Login      bool   // the request is a login that came back from the provider, or could not begin
	Email      string // that session's, for audit lines; the log's e-mail policy is applied when it is written
	Upstream   time.Duration
	Err        error // the cause, for the log line only
}

// Site is one public URL of the gateway.
type Site struct {
	Scheme string // http or https
	Host   string // lower case, with the port when it is not the scheme's own: as it stands in Host headers and origins
}

// Origin is the site's origin, scheme://host, in the spelling browsers use.
func (s *Site) Origin() string { return s.Scheme + "://" + s.Host }

// Secure tells whether visitors reach the site by https: whether cookies may be Secure and named __Host-.
func (s *Site) Secure() bool { return s.Scheme == "https" }

type contextKey struct{}

// carrier is a request's context with its facts in it.
type carrier struct {
	context.Context
	facts Facts
}

// Value returns the facts for their own key, and what the request's context holds for others.
func (c *carrier) Value(key any) any {
	if key == (contextKey{}) {
		return &c.facts
	}
	return c.Context.Value(key)
}

// With returns a context that carries the facts.
func With(ctx context.Context, f *Facts) context.Context {
	return context.WithValue(ctx, contextKey{}, f)
}

// From returns the facts of a request. Outside a Resolver's handler it returns empty facts, so that callers need no check.
func From(ctx context.Context) *Facts {
	if f, ok := ctx.Value(contextKey{}).(*Facts); ok {
		return f
	}
	return &Facts{}
}

// Of is From for a request.
func Of(r *http.Request) *Facts { return From(r.Context()) }
