package crm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// optionValue returns the options that match by value or by label. A property with several options takes those that
// match, also none; the others would make HubSpot reject the contact.
func (p Property) optionValue(v Value, untrusted bool) (string, Drop) {
	several := p.FieldType == "checkbox"
	var kept, rest []string
	for _, t := range v.Texts {
		parts := []string{t}
		if several {
			parts = strings.Split(t, ";")
		}
		for _, part := range parts {
			part = strings.TrimSpace(part)
			switch value, ok := p.matchOption(part); {
			case part == "" || ok && slices.Contains(kept, value):
			case ok && (several || len(kept) == 0):
				kept = append(kept, value)
			default:
				rest = append(rest, part)
			}
		}
	}
	value := strings.Join(kept, ";")
	if len(rest) == 0 {
		return value, Drop{}
	}
	drop := Drop{Reason: NotAnOption, Partial: several || len(kept) > 0}
	if !untrusted {
		drop.Detail = fmt.Sprintf("%q is not an option (%s)", setting.Shorten(strings.Join(rest, ";")), p.optionNames())
	}
	return value, drop
}

// shownOptions is how many options a message names: a property may have thousands.
const shownOptions = 10

// optionNames returns the values of the first options, and how many more there are.
func (p Property) optionNames() string {
	var names []string
	for _, o := range p.Options[:min(len(p.Options), shownOptions)] {
		names = append(names, setting.Shorten(clean(o.Value, false)))
	}
	if more := len(p.Options) - len(names); more > 0 {
		names = append(names, "and "+setting.Number(more)+" more")
	}
	return strings.Join(names, ", ")
}

func (p Property) matchOption(s string) (string, bool) {
	for _, o := range p.Options {
		if o.Value == s {
			return o.Value, true
		}
	}
	for _, o := range p.Options {
		if s != "" && (strings.EqualFold(o.Value, s) || strings.EqualFold(o.Label, s)) {
			return o.Value, true
		}
	}
	return "", false
}
