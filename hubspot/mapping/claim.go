package mapping

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func text(s string) (crm.Value, *crm.Drop) {
	if s == "" {
		return crm.Value{}, nothing(emptyText)
	}
	return crm.Text(s), nil
}

// PageOf returns a page without query and fragment, which may contain data that must not reach a CRM (tokens of links,
// search terms).
func PageOf(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// claim returns a claim of a login, or nil. A person has an address, a subject and a name even if no claim has them.
// Queue entries of older versions have Cognito's groups apart from the claims.
func claim(l outbox.Login, name string) any {
	value := l.Claims[name]
	switch {
	case value != nil:
	case name == "email" && l.Email != "":
		return l.Email
	case name == "sub" && l.Subject != "":
		return l.Subject
	case name == "name" && l.Name != "":
		return l.Name
	case name == groupsClaim(l) && (l.GroupsClaim != "" || len(l.Groups) > 0):
		return l.Groups
	}
	return value
}

// groupsClaim returns the name of the claim that a login's groups are. Entries of older versions do not say it.
func groupsClaim(l outbox.Login) string {
	if l.GroupsClaim != "" {
		return l.GroupsClaim
	}
	return "cognito:groups"
}

func claimValue(l outbox.Login, name string) (crm.Value, *crm.Drop) {
	switch v := claim(l, name).(type) {
	case nil:
		return crm.Value{}, nothing(noClaim)
	case []any:
		return listValue(v)
	case []string:
		return crm.Value{Texts: v}, nil
	default:
		s, ok := scalar(v)
		switch {
		case !ok:
			return crm.Value{}, &crm.Drop{Reason: crm.NotText}
		case s == "":
			return crm.Value{}, nothing(emptyClaim)
		}
		return crm.Text(s), nil
	}
}

func listValue(list []any) (crm.Value, *crm.Drop) {
	texts := make([]string, 0, len(list))
	for _, element := range list {
		s, ok := scalar(element)
		if !ok {
			return crm.Value{}, &crm.Drop{Reason: crm.NotText}
		}
		if s != "" {
			texts = append(texts, s)
		}
	}
	return crm.Value{Texts: texts}, nil
}

func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return crm.Printable(v), true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int, int64, int32, uint64:
		return fmt.Sprint(v), true
	}
	return "", false
}
