package dependency

import "context"

// Name is the name of a dependency in metric labels, logs and health checks.
type Name string

// The dependencies.
const (
	Redis       Name = "redis"
	IDP         Name = "idp"
	HubSpotSite Name = "hubspot_site"
	HubSpotAPI  Name = "hubspot_api"
)

// Op is the name of an operation of a dependency. It is a metric label, so the set is closed.
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
	OpLists     Op = "lists"
	OpAccount   Op = "account"
	OpPage      Op = "page"
	OpCommand   Op = "command"
	OpOther     Op = "other"
)

type opKey struct{}

// WithOp returns a context whose calls are counted as op.
func WithOp(ctx context.Context, op Op) context.Context { return context.WithValue(ctx, opKey{}, op) }

// OpOf returns the operation that a call is counted as: the only one of the dependency, or else the one set by WithOp.
func OpOf(ctx context.Context, name Name) Op {
	if ops := opsOf[name]; len(ops) == 1 {
		return ops[0]
	}
	if op, ok := ctx.Value(opKey{}).(Op); ok {
		return op
	}
	return OpOther
}
