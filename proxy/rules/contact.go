package rules

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/session"
)

// contact returns what HubSpot says about the visitor, or why no rule may rest on it. An address that the provider has
// not verified may be another person's: the one who registered it would be admitted as that person.
func (q request) contact() (*session.CRM, Decision) {
	s := q.session
	switch {
	case !s.EmailVerified || s.Email == "":
		return nil, forbidden(ReasonUnverified)
	case s.CRM == nil || !q.now.Before(s.CRM.UsableUntil):
		return nil, unknown()
	}
	return s.CRM, Decision{}
}

// unknown is the decision if a requirement rests on something about the contact that is not known.
func unknown() Decision {
	return Decision{Kind: Forbid, Reason: ReasonUnknown, Status: http.StatusServiceUnavailable}
}

// propertyUnmet wants a contact of which the property has one of the values.
func (q request) propertyUnmet(name string, values []string) Decision {
	crm, d := q.contact()
	if d.Kind != "" {
		return d
	}
	has, known := crm.Properties[name]
	switch {
	case !crm.Contact:
		return forbidden(ReasonProperties)
	case !known:
		return unknown()
	case slices.ContainsFunc(has, func(value string) bool { return slices.Contains(values, value) }):
		return Decision{}
	}
	return forbidden(ReasonProperties)
}

// anyList admits visitors whose contact is in at least one of the lists.
type anyList []list

// list is a list of contacts in HubSpot. A rule names it, and its id decides: a name that points to another id is
// another list.
type list struct{ name, id string }

func requireLists(r RuleConfig, env Env) requirement {
	if len(r.Lists) == 0 {
		return nil
	}
	lists := make(anyList, len(r.Lists))
	for i, name := range r.Lists {
		lists[i] = list{name, env.Lists[name]}
	}
	return lists
}

func (ls anyList) unmet(q request) Decision {
	crm, d := q.contact()
	if d.Kind != "" {
		return d
	}
	d = forbidden(ReasonLists)
	if !crm.Contact {
		return d
	}
	for _, l := range ls {
		in, known := crm.Lists[l.id]
		if in {
			return Decision{}
		}
		if !known {
			d = unknown()
		}
	}
	return d
}

func (ls anyList) weakerThan(other requirement) bool { return !subset(ls.ids(), other.(anyList).ids()) }

func (ls anyList) ids() []string {
	ids := make([]string, len(ls))
	for i, l := range ls {
		ids[i] = l.id
	}
	return ids
}

// String includes the ids, because a diff must show when a name points to another list.
func (ls anyList) String() string {
	texts := make([]string, len(ls))
	for i, l := range ls {
		texts[i] = l.name + " (" + l.id + ")"
	}
	return "lists " + strings.Join(texts, "|")
}
