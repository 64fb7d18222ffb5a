package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

// claimPrefix precedes the names of HubSpot's properties in the claims of a rule.
const claimPrefix = "hubspot."

// values returns a warning for each value that a rule asks for and that the property cannot have, such as the label of
// an option.
func (c *accessCheck) values(p crm.Property) (all []setting.Finding) {
	if p.ExternalOptions || len(p.Options) == 0 {
		return nil
	}
	for _, r := range c.rules {
		for _, value := range r.Claims[claimPrefix+p.Name] {
			if cure := optionCure(p, value); cure != "" {
				all = append(all, warning(accessPart,
					fmt.Sprintf("%s cannot be %s, for which a rule asks", p.Name, setting.Quote(value)), cure,
					fmt.Sprintf("proxy.rules, line %d", r.Line)))
			}
		}
	}
	return all
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
