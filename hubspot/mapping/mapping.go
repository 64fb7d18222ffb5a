package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Modes of writing a property.
const (
	writeAlways     = "always"
	WriteIfEmpty    = "if_empty"
	WriteCreateOnly = "create_only"
)

// Values that come from the login itself.
const (
	ValueLoginTime  = "login_time"
	ValueLoginCount = "login_count"
	ValueHost       = "host"
	ValueFirstPage  = "first_page"
)

// Mapping maps a login to contact properties. It is immutable.
type Mapping struct {
	cfg   Config
	rules []rule // by property name
}

type rule struct {
	Property
	property string
}

func New(cfg Config) *Mapping {
	m := &Mapping{cfg: cfg}
	for _, name := range slices.Sorted(maps.Keys(cfg.Properties)) {
		r := rule{Property: cfg.Properties[name], property: name}
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

// MinInterval returns how long an unchanged contact is not sent again.
func (m *Mapping) MinInterval() time.Duration { return m.cfg.MinInterval.D() }

// HasLoginValues reports whether a value of the login (a time, a count) is mapped, so that there is something to write
// even if the person is unchanged.
func (m *Mapping) HasLoginValues() bool {
	return slices.ContainsFunc(m.rules, func(r rule) bool { return r.Value != "" })
}

// Reasons to skip a person, as a label of a metric.
const (
	SkipNoEmail    = "no_email"
	SkipInvalid    = "invalid_email"
	SkipUnverified = "unverified_email"
	SkipGroup      = "group"
	SkipDomain     = "email_domain"
	SkipForgotten  = "forgotten"
)

// SkipReasons returns all reasons to skip a person.
func SkipReasons() []string {
	return []string{SkipNoEmail, SkipInvalid, SkipUnverified, SkipGroup, SkipDomain, SkipForgotten}
}

// SkipText returns a reason to skip a person in words.
func SkipText(reason string) string {
	switch reason {
	case SkipNoEmail:
		return "no e-mail"
	case SkipInvalid:
		return "not an e-mail address"
	case SkipUnverified:
		return "e-mail not verified"
	case SkipGroup:
		return "group is skipped"
	case SkipDomain:
		return "e-mail domain is skipped"
	case SkipForgotten:
		return "forgotten"
	}
	return ""
}

// Skip returns why a person must not become a contact, or "".
func (m *Mapping) Skip(l outbox.Login) string {
	switch {
	case l.Email == "":
		return SkipNoEmail
	case !crm.ValidEmail(l.Email):
		return SkipInvalid
	case m.cfg.RequireVerifiedEmail && !l.EmailVerified:
		return SkipUnverified
	case slices.ContainsFunc(m.cfg.Skip.Groups, func(g string) bool { return slices.Contains(l.Groups, g) }):
		return SkipGroup
	}
	_, domain, _ := strings.Cut(crm.EmailKey(l.Email), "@")
	for _, skipped := range m.cfg.Skip.EmailDomains {
		if strings.EqualFold(strings.TrimPrefix(skipped, "@"), domain) {
			return SkipDomain
		}
	}
	return ""
}

// Values returns what would be written into each mapped property. count is the number of logins, 0 if unknown.
func (m *Mapping) Values(l outbox.Login, count int64, known crm.Schema) []Item {
	items := make([]Item, 0, len(m.rules))
	for _, r := range m.rules {
		item := Item{Property: r.property, Source: r.source(), Write: r.Write}
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
			item.Why = cmp.Or(string(drop.Reason), absences()[drop.Detail])
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

// lookup returns the rule's value in a login, or why there is none.
func (r rule) lookup(l outbox.Login, count int64) (crm.Value, *crm.Drop) {
	switch {
	case r.Constant != "":
		return crm.Text(r.Constant), nil
	case r.Claim != "":
		return claimValue(l, r.Claim)
	case l.At.IsZero() && r.Value != ValueHost:
		return crm.Value{}, nothing(noLogin)
	}
	switch r.Value {
	case ValueLoginTime:
		return crm.Time(l.At), nil
	case ValueLoginCount:
		if count == 0 {
			return crm.Value{}, nothing(countedLater)
		}
		return crm.Text(strconv.FormatInt(count, 10)), nil
	case ValueHost:
		return text(l.Host)
	case ValueFirstPage:
		return text(PageOf(l.FirstPage))
	}
	return crm.Value{}, nothing(noSource)
}

// IsComplete reports whether all mapped properties exist in HubSpot and can be written.
func (m *Mapping) IsComplete(known crm.Schema) bool {
	return !slices.ContainsFunc(m.rules, func(r rule) bool { return known.Unwritable(r.property) != "" })
}

// Claims returns the mapped claims that a login carries, and those that it lacks, each of them once.
func (m *Mapping) Claims(l outbox.Login) (carried, lacking []string) {
	for i, r := range m.rules {
		isFirst := !slices.ContainsFunc(m.rules[:i], func(other rule) bool { return other.Claim == r.Claim })
		switch {
		case r.Claim == "" || !isFirst:
		case claim(l, r.Claim) != nil:
			carried = append(carried, r.Claim)
		default:
			lacking = append(lacking, r.Claim)
		}
	}
	return carried, lacking
}

// Rule returns the rule of a property.
func (m *Mapping) Rule(property string) (r rule, found bool) {
	i := slices.IndexFunc(m.rules, func(r rule) bool { return r.property == property })
	if i < 0 {
		return rule{}, false
	}
	return m.rules[i], true
}

// Mark identifies what a rule says, so that what is known about its values ends when it changes.
func (r rule) Mark() string {
	sum := sha256.Sum256([]byte(r.source() + "\x00" + r.Constant + "\x00" + r.Write))
	return hex.EncodeToString(sum[:8])
}

// Unique returns the properties with unique values that are mapped to the subject, and so identify a person's contact.
// A property of another claim does not: the visitor may have chosen the value, and would take over another one's
// contact.
func (m *Mapping) Unique(known crm.Schema) []string {
	var names []string
	for _, r := range m.rules {
		if r.Claim == "sub" && known[r.property].HasUniqueValue {
			names = append(names, r.property)
		}
	}
	return names
}
