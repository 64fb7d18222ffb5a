package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
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
	Refuse Kind = "refuse" // nobody gets it
)

// Why a decision was made: closed words for logs, metrics and explain.
const (
	ReasonPublic      = "public_rule"
	ReasonAdmitted    = "admitted"
	ReasonNoSession   = "no_session"
	ReasonAuthAge     = "max_auth_age"  // the login is older than the rule wants
	ReasonStillOld    = "login_too_old" // asked again, and the provider answered from an old login
	ReasonGroups      = "groups"
	ReasonClaims      = "claims"
	ReasonMethod      = "method"
	ReasonUnknownVerb = "unknown_method"
	ReasonDoor        = "hubspot_door"
)

// Decision is what happens to a request, and why.
type Decision struct {
	Kind   Kind
	Reason string
	Status int // of the gateway's own answer; 0 when the request is passed on
	Rule   RuleRef
	Allow  string        // of a 405: the methods
	MaxAge time.Duration // of a Login for its age
}

// RuleRef names the rule that decided.
type RuleRef struct {
	Name string `json:"name"`
	Path string `json:"path"` // its first pattern; "" for proxy.default
	Line int    `json:"line"` // in the file; 0 for what is not from the file
}

// knownMethods are passed on when a rule does not restrict them. Everything else, CONNECT and TRACE included, is refused: an origin
// that is asked what nobody thought of answers what nobody expects (PB-22).
var knownMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

const allKnownMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// Decide judges a request. It is pure: the session is nil for somebody who is not logged in, now is the time to judge by.
func (m Match) Decide(method string, doors Doors, s *session.Session, now time.Time) Decision {
	if !slices.Contains(knownMethods, method) {
		return Decision{Kind: Refuse, Reason: ReasonUnknownVerb, Status: http.StatusMethodNotAllowed, Rule: m.rule.ref(), Allow: allKnownMethods}
	}
	var failed Decision
	decided := Decision{Kind: Public, Reason: ReasonPublic, Rule: m.rule.ref()}
	for i := 0; ; i++ {
		r := m.judge(i, doors)
		if r == nil {
			break
		}
		d := m.rules.ask(r, method, s, now)
		switch {
		case d.Kind == Refuse:
			return d // beats everything
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

// judge is the i-th of the rules that all must be satisfied: the one that matched, or those of a file's addresses, then the doors.
// It returns nil after the last.
func (m Match) judge(i int, doors Doors) *rule {
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

// ask judges by one rule.
func (rs *Rules) ask(r *rule, method string, s *session.Session, now time.Time) Decision {
	d := Decision{Rule: r.ref()}
	if r.methods != nil && !slices.Contains(r.methods, method) {
		d.Kind, d.Reason, d.Status, d.Allow = Refuse, ReasonMethod, http.StatusMethodNotAllowed, r.allow
		return d
	}
	switch rs.accessFor(r) {
	case public:
		d.Kind, d.Reason = Public, ReasonPublic
		return d
	case refuse:
		d.Kind, d.Reason, d.Status = Refuse, ReasonDoor, http.StatusForbidden
		return d
	}
	if s == nil {
		d.Kind, d.Reason, d.Status = Login, ReasonNoSession, http.StatusFound
		return d
	}
	if reason := r.excludes(s); reason != "" {
		d.Kind, d.Reason, d.Status = Forbid, reason, http.StatusForbidden
		return d
	}
	return rs.judgeAge(r, s, now, d)
}

// excludes tells why the rule does not admit the user: groups are any of, claims are each any of.
func (r *rule) excludes(s *session.Session) string {
	if len(r.groups) > 0 && !s.HasGroup(r.groups...) {
		return ReasonGroups
	}
	for _, c := range r.claims {
		if !holds(s.Claims[c.name], c.values) {
			return ReasonClaims
		}
	}
	return ""
}

// holds compares as text; an array matches when any element does; a missing claim never does.
func holds(claim any, values []string) bool {
	switch v := claim.(type) {
	case nil:
		return false
	case []any:
		return slices.ContainsFunc(v, func(element any) bool { return element != nil && holds(element, values) })
	case []string:
		return slices.ContainsFunc(v, func(element string) bool { return slices.Contains(values, element) })
	case string:
		return slices.Contains(values, v)
	case map[string]any:
		return false
	case float64: // how JSON numbers arrive; never 1e+06
		return slices.Contains(values, strconv.FormatFloat(v, 'f', -1, 64))
	}
	return slices.Contains(values, fmt.Sprint(claim))
}

// judgeAge holds max_auth_age. It is satisfied only by a login that the gateway asked for with prompt=login, finished within the
// time by our clock, whose auth_time is there and not older than the attempt that asked: a provider's remembered login is none.
func (rs *Rules) judgeAge(r *rule, s *session.Session, now time.Time, d Decision) Decision {
	d.Kind, d.Reason = Allow, ReasonAdmitted
	if r.maxAuthAge == 0 {
		return d
	}
	prompted, fresh := !s.PromptedAt.IsZero(), now.Sub(s.CreatedAt) <= r.maxAuthAge
	proven := !s.AuthTime.IsZero() && !s.AuthTime.Before(s.PromptedAt.Add(-rs.skew).Truncate(time.Second))
	switch {
	case prompted && fresh && proven:
		return d
	case prompted && fresh: // asked just now, and still an old login: asking again would be a loop
		d.Kind, d.Reason, d.Status = Forbid, ReasonStillOld, http.StatusForbidden
	default:
		d.Kind, d.Reason, d.Status, d.MaxAge = Login, ReasonAuthAge, http.StatusFound, r.maxAuthAge
	}
	return d
}

func (r *rule) ref() RuleRef {
	ref := RuleRef{Name: r.name, Line: r.line}
	if len(r.patterns) > 0 {
		ref.Path = r.patterns[0].text
	}
	return ref
}
