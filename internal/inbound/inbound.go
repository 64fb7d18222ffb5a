package inbound

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Facts are the verified facts of one request.
type Facts struct {
	// ID is the request id: a valid X-Request-Id of a trusted proxy, otherwise 26 random characters.
	ID     string
	Client netip.Addr // the visitor's address; the peer's if no trusted proxy reports another
	Peer   netip.Addr // the remote address of the TCP connection
	// Trusted reports whether the peer is a trusted proxy. Only then are X-Forwarded-*, X-Request-Id and traceparent
	// believed.
	Trusted bool
	// Scheme is the scheme that the visitor used, http or https; "" if a trusted proxy does not report it.
	Scheme string
	// Site is the requested public URL; nil if the Host is not a configured one.
	Site *Site
	// RedirectTo is the site that the requested host redirects to; nil if it does not redirect.
	RedirectTo *Site
	// UntrustedForwarding reports whether an untrusted peer with a private address sent X-Forwarded-For. It is most
	// likely a load balancer that is missing from the trusted proxies.
	UntrustedForwarding bool
	// Traceparent is the span of this request in W3C form, "" without tracing. Later requests of the same login link to
	// it.
	Traceparent string
	// TraceID is the id of the request's trace if it is recorded, otherwise "". Exemplars refer to it.
	TraceID string
	// Outcome is set by the handlers, for the access log and the metrics. Only the goroutine that serves the request
	// may write it.
	Outcome Outcome
	// Body counts the response for the access log and the metrics; nil counts nothing.
	Body BodyCounter
}

// BodyCounter counts the bytes of a response's body that do not pass the http.ResponseWriter: those of a WebSocket. It
// is safe for concurrent use.
type BodyCounter interface {
	CountBytes(rule string, n int)
}

// Outcome is the decision about a request and its reason.
type Outcome struct {
	Rule       string // name of the rule that decided; "" if none has
	Endpoint   string // canonical path of the gateway's own endpoint; "" for the site
	Decision   string // public allow login forbid refuse, or error
	Reason     string // word from a closed set
	SessionRef string // the session's Ref, if any
	Login      bool   // the request finished a login, or failed to start one
	Granted    bool   // the provider granted a token to this login, which a visitor cannot forge
	Email      string // the session's, for the audit log, which applies the e-mail policy
	Upstream   time.Duration
	Err        error // the cause, for the log only
}

// Set sets the decision, the rule that made it and the reason. The handler that decides last wins.
func (o *Outcome) Set(rule, decision, reason string) {
	o.Rule, o.Decision, o.Reason = rule, decision, reason
}

// Network returns the network that counts as one client: the address, or an IPv6 address's /64, since one customer has
// that many addresses. It is the zero Prefix if the address is unknown.
func (f *Facts) Network() netip.Prefix { return NetworkOf(f.Client) }

// NetworkOf returns the network that counts as one client, as Facts.Network does.
func NetworkOf(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := client.BitLen()
	if client.Is6() {
		bits = 64
	}
	network, _ := client.Prefix(bits)
	return network
}

// Site is one public URL of the gateway.
type Site struct {
	Scheme string // http or https
	Host   string // lower case, with the port unless it is the scheme's default
}

// Origin returns the site's origin, scheme://host, as browsers write it.
func (s *Site) Origin() string { return s.Scheme + "://" + s.Host }

// Secure reports whether the site uses https, so that cookies can be Secure and named __Host-.
func (s *Site) Secure() bool { return s.Scheme == "https" }

type contextKey struct{}

// factsContext is a request's context with its facts, in one allocation.
type factsContext struct {
	context.Context
	facts Facts
}

// Value returns the facts for their key, and the value of the request's context for other keys.
func (c *factsContext) Value(key any) any {
	if key == (contextKey{}) {
		return &c.facts
	}
	return c.Context.Value(key)
}

// With returns a context that carries the facts.
func With(ctx context.Context, f *Facts) context.Context {
	return context.WithValue(ctx, contextKey{}, f)
}

// From returns the facts in ctx. If there are none, it returns empty facts, so that callers need no check.
func From(ctx context.Context) *Facts {
	if f, ok := ctx.Value(contextKey{}).(*Facts); ok {
		return f
	}
	return &Facts{}
}

// Of returns the facts of a request.
func Of(r *http.Request) *Facts { return From(r.Context()) }
