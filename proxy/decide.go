package proxy

import (
	"net/http"
	"slices"
	"time"

	"github.com/hubgate/hubgate/session"
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

// The values of Decision.Reason, for logs, metrics and explain.
const (
	ReasonPublic      = "public_rule"
	ReasonAdmitted    = "admitted"
	ReasonNoSession   = "no_session"
	ReasonAuthAge     = "max_auth_age"  // the login is older than the rule allows
	ReasonStillOld    = "login_too_old" // the provider was asked again, and answered from an old login
	ReasonGroups      = "groups"
	ReasonClaims      = "claims"
	ReasonMethod      = "method"
	ReasonUnknownVerb = "unknown_method"
	ReasonDoor        = "hubspot_door"
	ReasonGateway     = "gateway" // one of the gateway's own endpoints
)

// reasonTexts are the reasons in words, except those of requirements.
var reasonTexts = map[string]string{
	ReasonPublic:      "the rule needs no login",
	ReasonAdmitted:    "the login satisfies the rule",
	ReasonNoSession:   "the rule needs a login, and nobody is logged in",
	ReasonUnknownVerb: "no rule takes this method",
	ReasonDoor:        "proxy.hubspot refuses this feature of HubSpot",
	ReasonGateway:     "it is one of the gateway's own endpoints, which rules do not reach",
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
	Rule   RuleRef
	Allow  string        // of a 405: the methods
	MaxAge time.Duration // of a Login that is needed because of its age
}

// RuleRef names the rule that decided.
type RuleRef struct {
	Name string `json:"name"`
	Path string `json:"path"` // its first pattern; "" for proxy.default
	Line int    `json:"line"` // in the file; 0 for what is not from the file
}

// knownMethods are forwarded unless a rule restricts them. All others, CONNECT and TRACE included, are refused: an
// origin may treat an unexpected method as GET and serve the page.
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions,
}

const allKnownMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// Decide judges a request at a time. It has no side effects. The session is nil for a visitor who is not logged in.
func (m Match) Decide(method string, doors Doors, s *session.Session, now time.Time) Decision {
	if !slices.Contains(knownMethods, method) {
		return Decision{
			Kind: Refuse, Reason: ReasonUnknownVerb, Status: http.StatusMethodNotAllowed, Rule: m.rule.ref(),
			Allow: allKnownMethods,
		}
	}
	q := request{method: method, session: s, now: now, skew: m.rules.skew}
	var failed Decision
	decided := Decision{Kind: Public, Reason: ReasonPublic, Rule: m.rule.ref()}
	for i := 0; ; i++ {
		r := m.ruleAt(i, doors)
		if r == nil {
			break
		}
		d := m.rules.decide(r, q)
		switch {
		case d.Kind == Refuse:
			return d // wins over every other decision
		case d.Kind == Public:
		case d.Kind == Allow:
			decided.Kind, decided.Reason = Allow, ReasonAdmitted
		case failed.Kind == "":
			failed = d
		}
	}
	if failed.Kind != "" {
		return failed
	}
	return decided
}

// ruleAt returns the i-th of the rules that must all be satisfied: the one that matched, or those of a file's
// addresses, then those of preview parameters. It returns nil after the last.
func (m Match) ruleAt(i int, doors Doors) *rule {
	doors |= m.doors
	if len(m.all) == 0 {
		if i == 0 {
			return m.rule
		}
		i--
	} else {
		if i < len(m.all) {
			return m.all[i]
		}
		i -= len(m.all)
	}
	if doors&PreviewDoor != 0 || m.draft {
		if i == 0 {
			return m.rules.previews
		}
		i--
	}
	if doors&DebugDoor != 0 && i == 0 {
		return m.rules.debug
	}
	return nil
}

func (rs *Rules) accessFor(r *rule) access {
	if r.access != loginIfProtected {
		return r.access
	}
	if rs.protects {
		return login
	}
	return public
}

// decide judges a request by one rule.
func (rs *Rules) decide(r *rule, q request) Decision {
	d := r.requirements.unmet(q, true)
	if d.Kind == "" {
		switch access := rs.accessFor(r); {
		case access == public:
			d.Kind, d.Reason = Public, ReasonPublic
		case access == refuse:
			d.Kind, d.Reason, d.Status = Refuse, ReasonDoor, http.StatusForbidden
		case q.session == nil:
			d.Kind, d.Reason, d.Status = Login, ReasonNoSession, http.StatusFound
		default:
			if d = r.requirements.unmet(q, false); d.Kind == "" {
				d.Kind, d.Reason = Allow, ReasonAdmitted
			}
		}
	}
	d.Rule = r.ref()
	return d
}

func (r *rule) ref() RuleRef {
	ref := RuleRef{Name: r.name, Line: r.line}
	if len(r.patterns) > 0 {
		ref.Path = r.patterns[0].text
	}
	return ref
}
