package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

var numberForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// values returns a warning for each value that a rule asks for and that the property cannot have, such as the label of
// an option, or a date as people write it.
func (c *accessCheck) values(p crm.Property) (all []setting.Finding) {
	for _, r := range c.rules {
		for _, value := range r.Claims[session.CRMClaimPrefix+p.Name] {
			if cure := valueCure(p, value); cure != "" {
				all = append(all, warning(accessPart,
					fmt.Sprintf("%s cannot be %s, for which a rule asks", p.Name, setting.Quote(value)), cure,
					fmt.Sprintf("proxy.rules, line %d", r.Line)))
			}
		}
	}
	return all
}

// valueCure returns what to write instead of a value that the property cannot have; "" if it can.
func valueCure(p crm.Property, value string) string {
	switch {
	case p.ExternalOptions:
	case len(p.Options) > 0:
		return optionCure(p, value)
	case p.Type == "date":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return "dates are written 2026-02-03"
		}
	case p.Type == "datetime":
		if _, err := time.Parse(time.RFC3339, value); err != nil || !strings.HasSuffix(value, "Z") {
			return "dates with a time are written 2026-02-03T09:30:00Z, in UTC"
		}
	case p.Type == "number":
		if !numberForm.MatchString(value) {
			return "numbers are written 1234.5, without thousands separators and units"
		}
	case p.Type == "bool" && value != "true" && value != "false":
		return "write true or false"
	}
	return ""
}

// optionCure returns what to write instead of a value that is not an option; "" if it is one.
func optionCure(p crm.Property, value string) string {
	var values []string
	similar := ""
	for _, o := range p.Options {
		if o.Value == value {
			return ""
		}
		if strings.EqualFold(o.Label, value) || strings.EqualFold(o.Value, value) {
			similar = o.Value
		}
		values = append(values, o.Value)
	}
	if similar != "" {
		return "write the internal value of the option: " + similar
	}
	slices.Sort(values)
	return "write one of the options: " + setting.Shorten(strings.Join(values, ", "))
}
