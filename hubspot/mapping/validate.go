package mapping

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

var domainForm = regexp.MustCompile(`^@?([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]+$`)

// Validate checks the section without network calls.
func (c Config) Validate() []setting.Problem {
	var p setting.Problems
	if c.MinInterval < 0 {
		p.Add("hubspot.contacts.min_interval", "must not be negative",
			"write 0s to send every login, or a duration such as 15m")
	}
	for i, g := range c.Skip.Groups {
		if strings.TrimSpace(g) == "" {
			p.Add(fmt.Sprintf("hubspot.contacts.skip.groups[%d]", i), "must not be empty",
				"write the name of a group, or remove the entry")
		}
	}
	for i, d := range c.Skip.EmailDomains {
		if !domainForm.MatchString(d) {
			p.Add(fmt.Sprintf("hubspot.contacts.skip.email_domains[%d]", i), fmt.Sprintf("%q is not a domain", d),
				"write the part after the @, such as example.com")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		c.Properties[name].validate(&p, name)
	}
	return p
}

func (c Property) validate(p *setting.Problems, name string) {
	key := setting.Join("hubspot.contacts.properties", name)
	switch {
	case name == "email":
		p.Add(key, "email is always sent and must not be mapped", "remove it")
	case !crm.IsPropertyName(name):
		p.Add(key, fmt.Sprintf("%q is not the internal name of a property", name),
			"write the internal name: lower-case letters, digits and underscores, starting with a letter")
	case name == "lifecyclestage" && c.Write != WriteCreateOnly:
		p.Warn(key, "a lifecycle stage only moves forward in HubSpot, and sales and marketing use it",
			"map to a custom property, or use write: create_only")
	}
	if slices.Contains(loginValues, c.Claim) {
		p.Warn(key, c.Claim+" is read as the name of a claim here",
			"write {value: "+c.Claim+"} for the value of the login")
	}
	if session.IsCRMClaim(c.Claim) {
		p.Add(key, setting.Quote(c.Claim)+" is ignored in a token, because rules read hubspot.NAME from HubSpot",
			"write the name of another claim that contains the value")
	}
	c.validateSource(p, key)
	modes := []string{writeAlways, WriteIfEmpty, WriteCreateOnly}
	if c.Write != "" && !slices.Contains(modes, c.Write) {
		p.Add(key+".write", setting.NotValid(c.Write, modes...),
			"write always, if_empty or create_only, or leave it out for always")
	}
}

// loginValues are the values of a login besides its claims.
var loginValues = []string{ValueLoginTime, ValueLoginCount, ValueHost, ValueFirstPage}

func (c Property) validateSource(p *setting.Problems, key string) {
	sources := 0
	for _, s := range []string{c.Claim, c.Value, c.Constant} {
		if s != "" {
			sources++
		}
	}
	const cure = "write exactly one of claim, value and constant; a plain word is a claim"
	switch {
	case sources == 0:
		*p = append(*p, setting.Problem{
			Key: key, Either: [3]string{key + ".claim", key + ".value", key + ".constant"},
			Text: "the property has no source: claim, value and constant are missing or empty", Cure: cure,
		})
	case sources > 1:
		p.Add(key, "has more than one source", cure)
	}
	if c.Value != "" && !slices.Contains(loginValues, c.Value) {
		p.Add(key+".value", setting.NotValid(c.Value, loginValues...),
			"write login_time, login_count, host or first_page, or constant: for a fixed text")
	}
	for member, s := range map[string]string{"claim": c.Claim, "constant": c.Constant} {
		if setting.HasPlaceholder(s) {
			p.Add(key+"."+member, "the placeholder is still there", "write the real value")
		}
	}
}
