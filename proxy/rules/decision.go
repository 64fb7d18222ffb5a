package rules

import (
	"net/http"
	"time"
)

// Kind is what was decided. These five words are the only ones, in code, tests, commands, metrics and logs.
type Kind string

// The decisions.
const (
	Public Kind = "public" // needs no login
	Allow  Kind = "allow"  // logged in and admitted
	Login  Kind = "login"  // must log in, or log in again
	Forbid Kind = "forbid" // logged in, but not admitted
	Refuse Kind = "refuse" // nobody is admitted
)

// The values of Decision.Reason, for logs, metrics and explain. Those of requirements are in requirement.go.
const (
	ReasonPublic      = "public_rule"
	ReasonAdmitted    = "admitted"
	ReasonNoSession   = "no_session"
	ReasonUnknownVerb = "unknown_method"
	ReasonHubSpot     = "hubspot_door"
	ReasonGateway     = "gateway" // one of the gateway's own endpoints
)

// reasonTexts are the reasons in words, except those of requirements.
var reasonTexts = map[string]string{
	ReasonPublic:      "the rule needs no login",
	ReasonAdmitted:    "the visitor satisfies the rule",
	ReasonNoSession:   "the rule needs a login, and nobody is logged in",
	ReasonUnknownVerb: "no rule takes this method",
	ReasonHubSpot:     "proxy.hubspot refuses this feature of HubSpot",
	ReasonGateway:     "it is one of the gateway's own endpoints, which rules do not reach",
	ReasonUnverified:  "the login has no verified e-mail address, and contacts are found by it",
	ReasonUnknown:     "it is unknown what HubSpot says about the visitor's contact",
}

// ReasonText returns a reason in words. Those of a PathError have none of their own.
func ReasonText(reason string) string {
	if text := reasonTexts[reason]; text != "" {
		return text
	}
	for _, k := range ruleKeys {
		if text := k.reasons[reason]; text != "" {
			return text
		}
	}
	return "the address is ambiguous (" + reason + ")"
}

// Decision is what happens to a request, and why.
type Decision struct {
	Kind   Kind
	Reason string
	Status int // of the gateway's own answer; 0 when the request is forwarded
	Rule   Ref
	Allow  string        // of a 405: the methods
	MaxAge time.Duration // of a Login that is needed because of its age
}

// Admits reports whether the request is forwarded.
func (d Decision) Admits() bool { return d.Kind == Public || d.Kind == Allow }

// Unknown reports whether the decision rests on what HubSpot says about the contact, and that is not known.
func (d Decision) Unknown() bool { return d.Reason == ReasonUnknown }

// or returns what to answer if requirements or rules with these decisions must be met: d, unless it is unknown and next
// is not. So an unknown contact does not hide that the visitor has no access anyway, or has to log in again. A Decision
// without a Kind is that of a requirement that is met.
func (d Decision) or(next Decision) Decision {
	if d.Kind == "" || d.Unknown() && next.Kind != "" {
		return next
	}
	return d
}

// forbidden is the decision about a user who is not admitted.
func forbidden(reason string) Decision {
	return Decision{Kind: Forbid, Reason: reason, Status: http.StatusForbidden}
}

// Ref names the rule that decided.
type Ref struct {
	Name string `json:"name"`
	Path string `json:"path"` // its first pattern; "" for proxy.default
	Line int    `json:"line"` // in the file; 0 for what is not from the file
}

func (r *rule) ref() Ref {
	ref := Ref{Name: r.name, Line: r.line}
	if len(r.patterns) > 0 {
		ref.Path = r.patterns[0].String()
	}
	return ref
}
