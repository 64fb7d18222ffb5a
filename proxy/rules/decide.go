package rules

import (
	"net/http"
	"slices"
	"time"

	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// knownMethods are forwarded unless a rule restricts them. All others, CONNECT and TRACE included, are refused: an
// origin may treat an unexpected method as GET and serve the page.
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions,
}

const allKnownMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// Decide judges a request at a time. It has no side effects. The session is nil for a visitor who is not logged in.
func (m Match) Decide(method string, params urlpath.PreviewParams, s *session.Session, now time.Time) Decision {
	if !slices.Contains(knownMethods, method) {
		return Decision{
			Kind: Refuse, Reason: ReasonUnknownVerb, Status: http.StatusMethodNotAllowed, Rule: m.rule.ref(),
			Allow: allKnownMethods,
		}
	}
	q := request{method: method, session: s, now: now, skew: m.rules.env.ClockSkew}
	var failed Decision
	decided := Decision{Kind: Public, Reason: ReasonPublic, Rule: m.rule.ref()}
	for i := 0; ; i++ {
		r := m.ruleAt(i, params)
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
		default:
			failed = failed.or(d)
		}
	}
	if failed.Kind != "" {
		return failed
	}
	return decided
}

// ruleAt returns the i-th of the rules that must all be satisfied: the one that matched, or those of a file's
// addresses, then those of preview parameters. It returns nil after the last.
func (m Match) ruleAt(i int, params urlpath.PreviewParams) *rule {
	params |= m.params
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
	if params&urlpath.Preview != 0 || m.draft {
		if i == 0 {
			return m.rules.previews
		}
		i--
	}
	if params&urlpath.Debug != 0 && i == 0 {
		return m.rules.debug
	}
	return nil
}

// accessFor resolves login_if_protected.
func (rs *Set) accessFor(r *rule) access {
	if r.access != loginIfProtected {
		return r.access
	}
	if rs.protects {
		return login
	}
	return public
}

// decide judges a request by one rule.
func (rs *Set) decide(r *rule, q request) Decision {
	d := r.requirements.unmet(q, true)
	if d.Kind == "" {
		switch access := rs.accessFor(r); {
		case access == public:
			d.Kind, d.Reason = Public, ReasonPublic
		case access == refuse:
			d.Kind, d.Reason, d.Status = Refuse, ReasonHubSpot, http.StatusForbidden
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
