package hubspot

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Modes of writing a property.
const (
	writeAlways     = "always"
	writeIfEmpty    = "if_empty"
	writeCreateOnly = "create_only"
)

// Values that come from the login itself.
const (
	valueLoginTime  = "login_time"
	valueLoginCount = "login_count"
	valueHost       = "host"
	valueFirstPage  = "first_page"
)

// groupsClaim is Cognito's claim of groups. Cognito omits it for a person in no group, which must empty the property,
// not keep it.
const groupsClaim = "cognito:groups"

// mapping maps a login to contact properties. It is immutable.
type mapping struct {
	cfg   ContactsConfig
	rules []rule // by property name
}

type rule struct {
	PropertyConfig
	property string
}

func newMapping(cfg ContactsConfig) *mapping {
	m := &mapping{cfg: cfg}
	for _, name := range slices.Sorted(maps.Keys(cfg.Properties)) {
		r := rule{PropertyConfig: cfg.Properties[name], property: name}
		if r.Write == "" {
			r.Write = writeAlways
		}
		m.rules = append(m.rules, r)
	}
	return m
}

func (r rule) source() string {
	switch {
	case r.Claim != "":
		return "claim " + r.Claim
	case r.Value != "":
		return "value " + r.Value
	}
	return "constant"
}

// hasLoginValues reports whether a value of the login (a time, a count) is mapped, so that there is something to write
// even if the person is unchanged.
func (m *mapping) hasLoginValues() bool {
	return slices.ContainsFunc(m.rules, func(r rule) bool { return r.Value != "" })
}

// skip returns why a person must not become a contact, or "".
func (m *mapping) skip(l outbox.Login) string {
	switch {
	case l.Email == "":
		return "no e-mail"
	case !crm.ValidEmail(l.Email):
		return "not an e-mail address"
	case m.cfg.RequireVerifiedEmail && !l.EmailVerified:
		return "e-mail not verified"
	case slices.ContainsFunc(m.cfg.Skip.Groups, func(g string) bool { return slices.Contains(l.Groups, g) }):
		return "group is skipped"
	}
	_, domain, _ := strings.Cut(crm.EmailKey(l.Email), "@")
	for _, skipped := range m.cfg.Skip.EmailDomains {
		if strings.EqualFold(strings.TrimPrefix(skipped, "@"), domain) {
			return "e-mail domain is skipped"
		}
	}
	return ""
}

// values returns what would be written into each mapped property. count is the number of logins, 0 if unknown.
func (m *mapping) values(l outbox.Login, count int64, known crm.Schema) []PreviewItem {
	items := make([]PreviewItem, 0, len(m.rules))
	for _, r := range m.rules {
		item := PreviewItem{Property: r.property, Source: r.source(), Write: r.Write}
		source, reason := r.lookup(l, count)
		if reason == "" {
			item.Value, reason = known.Convert(r.property, source, r.Constant == "")
		}
		if item.Dropped = reason; reason != "" {
			item.Value = ""
		}
		items = append(items, item)
	}
	return items
}

// lookup returns the rule's value in a login, or why there is none.
func (r rule) lookup(l outbox.Login, count int64) (v crm.Value, reason string) {
	switch {
	case r.Constant != "":
		return crm.Text(r.Constant), ""
	case r.Claim != "":
		return claimValue(l, r.Claim)
	case l.At.IsZero() && r.Value != valueHost:
		return crm.Value{}, "unknown without a login"
	}
	switch r.Value {
	case valueLoginTime:
		return crm.Time(l.At), ""
	case valueLoginCount:
		if count == 0 {
			return crm.Value{}, "counted when a login is sent"
		}
		return crm.Text(strconv.FormatInt(count, 10)), ""
	case valueHost:
		return text(l.Host)
	case valueFirstPage:
		return text(pageOf(l.FirstPage))
	}
	return crm.Value{}, "no source"
}

func text(s string) (crm.Value, string) {
	if s == "" {
		return crm.Value{}, "empty"
	}
	return crm.Text(s), ""
}

// pageOf returns a page without query and fragment, which may contain data that must not reach a CRM (tokens of links,
// search terms).
func pageOf(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

func claimValue(l outbox.Login, name string) (crm.Value, string) {
	value, ok := l.Claims[name]
	if !ok || value == nil {
		switch {
		case name == "email" && l.Email != "":
			return crm.Text(l.Email), ""
		case name == "sub" && l.Subject != "":
			return crm.Text(l.Subject), ""
		case name == "name" && l.Name != "":
			return crm.Text(l.Name), ""
		case name == groupsClaim && len(l.Groups) > 0:
			return crm.Value{Texts: l.Groups}, ""
		case name == groupsClaim && !l.At.IsZero():
			return crm.Value{}, ""
		}
		return crm.Value{}, "the login does not have this claim"
	}
	switch v := value.(type) {
	case []any:
		return listValue(v)
	case []string:
		return crm.Value{Texts: v}, ""
	}
	s, ok := scalar(value)
	if !ok {
		return crm.Value{}, "the claim is an object"
	}
	if s == "" {
		return crm.Value{}, "the claim is empty"
	}
	return crm.Text(s), ""
}

func listValue(list []any) (crm.Value, string) {
	texts := make([]string, 0, len(list))
	for _, element := range list {
		s, ok := scalar(element)
		if !ok {
			return crm.Value{}, "the claim is a list of objects"
		}
		if s != "" {
			texts = append(texts, s)
		}
	}
	return crm.Value{Texts: texts}, ""
}

func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v), true
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

// maxClaim is the maximum size of a claim in the queue; HubSpot accepts no longer text.
const maxClaim = 65536

// limitSize limits what a hostile profile can put into Redis, such as a 1 MB name (CWE-770): long texts are truncated,
// other large values dropped.
func limitSize(l outbox.Login) outbox.Login {
	claims := make(map[string]any, len(l.Claims))
	for name, value := range l.Claims {
		if s, ok := value.(string); ok {
			claims[name] = truncate(s, maxClaim)
			continue
		}
		if encoded, err := json.Marshal(value); err == nil && len(encoded) <= maxClaim {
			claims[name] = value
		}
	}
	l.Claims = claims
	l.Email, l.Name, l.FirstPage = strings.TrimSpace(l.Email), truncate(l.Name, maxClaim), truncate(l.FirstPage, 2048)
	l.UTK, l.Host = truncate(l.UTK, 64), truncate(l.Host, 256)
	return l
}

// truncate shortens s to at most n bytes without splitting a character and replaces invalid UTF-8.
func truncate(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && s[len(s)-1]&0xC0 == 0x80 {
			s = s[:len(s)-1]
		}
		if len(s) > 0 && s[len(s)-1] >= 0xC0 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// missing returns the mapped properties that do not exist in HubSpot or cannot be written, and why.
func (m *mapping) missing(known crm.Schema) map[string]string {
	bad := map[string]string{}
	for _, r := range m.rules {
		if reason := known.Unwritable(r.property); reason != "" {
			bad[r.property] = reason
		}
	}
	return bad
}

// unique returns the mapped properties with unique values, which can identify a contact.
func (m *mapping) unique(known crm.Schema) []string {
	var names []string
	for _, r := range m.rules {
		if known[r.property].HasUniqueValue {
			names = append(names, r.property)
		}
	}
	return names
}
