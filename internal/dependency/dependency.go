// Package dependency is how hubgate talks to what it does not own: every outgoing HTTP client is made here, bounded in time and
// bytes, follows no redirect, verifies TLS, and is measured. A caller names what it is doing with WithOp. The way to the site's origin
// (internal/origin) is measured here as well.
// It imports nothing of hubgate.
package dependency

import "context"

// Name names a dependency: the label of the metrics and the word in logs and health checks.
type Name string

// The dependencies.
const (
	Redis       Name = "redis"
	IDP         Name = "idp"
	HubSpotSite Name = "hubspot_site"
	HubSpotAPI  Name = "hubspot_api"
)

// Op names what is asked of a dependency: a closed set, for it is a metric label.
type Op string

// The operations.
const (
	OpDiscovery Op = "discovery"
	OpJWKS      Op = "jwks"
	OpToken     Op = "token"
	OpRefresh   Op = "refresh"
	OpUserinfo  Op = "userinfo"
	OpRevoke    Op = "revoke"
	OpUpsert    Op = "upsert"
	OpRead      Op = "read"
	OpUpdate    Op = "update"
	OpSchema    Op = "schema"
	OpForm      Op = "form"
	OpPages     Op = "pages"
	OpAccount   Op = "account"
	OpPage      Op = "page"
	OpCommand   Op = "command"
	OpOther     Op = "other"
)

type opKey struct{}

// WithOp returns a context whose outgoing calls are counted as op.
func WithOp(ctx context.Context, op Op) context.Context { return context.WithValue(ctx, opKey{}, op) }

// OpOf is what a call to a dependency is counted as: the one thing that it is asked, or what WithOp says.
func OpOf(ctx context.Context, name Name) Op {
	if ops := opsOf[name]; len(ops) == 1 {
		return ops[0]
	}
	if op, ok := ctx.Value(opKey{}).(Op); ok {
		return op
	}
	return OpOther
}
