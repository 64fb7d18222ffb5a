package hubspot

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
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

// Reasons to skip a person, as a label of a metric.
const (
	skipNoEmail    = "no_email"
	skipInvalid    = "invalid_email"
	skipUnverified = "unverified_email"
	skipGroup      = "group"
	skipDomain     = "email_domain"
	skipForgotten  = "forgotten"
)

// skipText returns a reason to skip a person in words.
func skipText(reason string) string {
	switch reason {
	case skipNoEmail:
		return "no e-mail"
	case skipInvalid:
		return "not an e-mail address"
	case skipUnverified:
		return "e-mail not verified"
	case skipGroup:
		return "group is skipped"
	case skipDomain:
		return "e-mail domain is skipped"
	case skipForgotten:
		return "forgotten"
	}
	return ""
}

// skip returns why a person must not become a contact, or "".
func (m *mapping) skip(l outbox.Login) string {
	switch {
	case l.Email == "":
		return skipNoEmail
	case !crm.ValidEmail(l.Email):
		return skipInvalid
	case m.cfg.RequireVerifiedEmail && !l.EmailVerified:
		return skipUnverified
	case slices.ContainsFunc(m.cfg.Skip.Groups, func(g string) bool { return slices.Contains(l.Groups, g) }):
		return skipGroup
	}
	_, domain, _ := strings.Cut(crm.EmailKey(l.Email), "@")
	for _, skipped := range m.cfg.Skip.EmailDomains {
		if strings.EqualFold(strings.TrimPrefix(skipped, "@"), domain) {
			return skipDomain
		}
	}
	return ""
}

// values returns what would be written into each mapped property. count is the number of logins, 0 if unknown.
func (m *mapping) values(l outbox.Login, count int64, known crm.Schema) []PreviewItem {
	items := make([]PreviewItem, 0, len(m.rules))
	for _, r := range m.rules {
		item := PreviewItem{Property: r.property, Source: r.source(), Write: r.Write}
		source, drop := r.lookup(l, count)
		if drop == nil {
			value, unfit := known.Convert(r.property, source, r.Constant == "")
			item.Value, drop = value, &unfit
		}
		if drop.Reason == "" && slices.Contains(l.Oversized, r.Claim) && r.Claim != "" {
			drop = r.oversized(drop.Detail == "")
		}
		if drop.Reason != "" || drop.Detail != "" {
			drop.Property = r.property
			item.Drop, item.Dropped = *drop, drop.Text()
		}
		items = append(items, item)
	}
	return items
}

// oversized says that a claim is too large for the queue, and whether a part of it is written.
func (r rule) oversized(partial bool) *crm.Drop {
	d := &crm.Drop{Reason: crm.TooLong, Partial: partial}
	if !partial {
		d.Detail = "too long; left out"
	}
	return d
}

// written reports whether there is something to write, even if it is not the whole value.
func (item PreviewItem) written() bool { return item.Drop == (crm.Drop{}) || item.Drop.Partial }

// nothing says why there is nothing to write. It is no rejection, and has no reason.
func nothing(why string) *crm.Drop { return &crm.Drop{Detail: why} }

// lookup returns the rule's value in a login, or why there is none.
func (r rule) lookup(l outbox.Login, count int64) (crm.Value, *crm.Drop) {
	switch {
	case r.Constant != "":
		return crm.Text(r.Constant), nil
	case r.Claim != "":
		return claimValue(l, r.Claim)
	case l.At.IsZero() && r.Value != valueHost:
		return crm.Value{}, nothing("unknown without a login")
	}
	switch r.Value {
	case valueLoginTime:
		return crm.Time(l.At), nil
	case valueLoginCount:
		if count == 0 {
			return crm.Value{}, nothing("counted when a login is sent")
		}
		return crm.Text(strconv.FormatInt(count, 10)), nil
	case valueHost:
		return text(l.Host)
	case valueFirstPage:
		return text(pageOf(l.FirstPage))
	}
	return crm.Value{}, nothing("no source")
}

// isComplete reports whether all mapped properties exist in HubSpot and can be written.
func (m *mapping) isComplete(known crm.Schema) bool {
	return !slices.ContainsFunc(m.rules, func(r rule) bool { return known.Unwritable(r.property) != "" })
}

// rule returns the rule of a property.
func (m *mapping) rule(property string) (r rule, found bool) {
	i := slices.IndexFunc(m.rules, func(r rule) bool { return r.property == property })
	if i < 0 {
		return rule{}, false
	}
	return m.rules[i], true
}

// mark identifies what a rule says, so that what is known about its values ends when it changes.
func (r rule) mark() string {
	sum := sha256.Sum256([]byte(r.source() + "\x00" + r.Constant + "\x00" + r.Write))
	return hex.EncodeToString(sum[:8])
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
