package fakehubspot

import (
	"slices"
	"strings"
)

// Branch is a branch of a list's filters. Its kind is AND, OR, NOT_ALL, NOT_ANY or RESTRICTED; one of another kind is
// about other records than contacts, and matches none.
type Branch struct {
	Kind     string
	Filters  []Filter
	Branches []Branch
}

// Filter is one filter of a list: set one of Property, InList, Form and Kind.
type Filter struct {
	Property string   // the contact has a value of this property
	Values   []string // ... and it is one of these; nil = any
	InList   string   // the contact is in the list with this id
	Form     string   // the contact has submitted the form with this id
	Kind     string   // HubSpot's name of any other kind; it matches no contact
}

// matches reports whether a branch matches a contact. in reports whether the contact is in a list.
func (s *Server) matches(b Branch, c *Contact, in func(list string) bool) bool {
	var results []bool
	for _, f := range b.Filters {
		results = append(results, s.filterMatches(f, c, in))
	}
	for _, inner := range b.Branches {
		results = append(results, s.matches(inner, c, in))
	}
	all, some := !slices.Contains(results, false), slices.Contains(results, true)
	switch b.Kind {
	case "AND", "RESTRICTED":
		return all
	case "OR":
		return some
	case "NOT_ALL":
		return !all
	case "NOT_ANY":
		return !some
	}
	return false
}

func (s *Server) filterMatches(f Filter, c *Contact, in func(list string) bool) bool {
	switch {
	case f.Property != "":
		values := strings.Split(c.Properties[f.Property], ";")
		return slices.ContainsFunc(values, func(v string) bool {
			return v != "" && (f.Values == nil || slices.Contains(f.Values, v))
		})
	case f.InList != "":
		return in(f.InList)
	case f.Form != "":
		return slices.ContainsFunc(s.forms, func(sent Submission) bool {
			return sent.Form == f.Form && s.contacts.find("email", sent.Email).is(c)
		})
	}
	return false
}

// is reports whether two contacts, or states of one, have the same id.
func (c *Contact) is(other *Contact) bool { return c != nil && c.ID == other.ID }

// render returns the branch as HubSpot's API describes it.
func (b Branch) render() map[string]any {
	filters, branches := []any{}, []any{}
	for _, f := range b.Filters {
		filters = append(filters, f.render())
	}
	for _, inner := range b.Branches {
		branches = append(branches, inner.render())
	}
	operator := "AND"
	if b.Kind == "OR" || b.Kind == "NOT_ANY" {
		operator = "OR"
	}
	body := map[string]any{"filterBranchType": b.Kind, "filterBranchOperator": operator, "filters": filters,
		"filterBranches": branches}
	if b.Kind == "ASSOCIATION" {
		body["associationCategory"], body["associationTypeId"] = "HUBSPOT_DEFINED", 1
		body["objectTypeId"], body["operator"] = "0-2", "IN_LIST"
	}
	return body
}

func (f Filter) render() map[string]any {
	switch {
	case f.Property != "" && f.Values == nil:
		return map[string]any{"filterType": "PROPERTY", "property": f.Property, "operation": map[string]any{
			"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN", "includeObjectsWithNoValueSet": false,
		}}
	case f.Property != "":
		return map[string]any{"filterType": "PROPERTY", "property": f.Property, "operation": map[string]any{
			"operationType": "ENUMERATION", "operator": "IS_ANY_OF", "values": f.Values,
			"includeObjectsWithNoValueSet": false,
		}}
	case f.InList != "":
		return map[string]any{"filterType": "IN_LIST", "listId": f.InList, "operator": "IN_LIST"}
	case f.Form != "":
		return map[string]any{"filterType": "FORM_SUBMISSION", "formId": f.Form, "operator": "FILLED_OUT"}
	}
	return map[string]any{"filterType": f.Kind, "operator": "HAS_COMPLETED"}
}
