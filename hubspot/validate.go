package hubspot

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

var (
	versionForm = regexp.MustCompile(`^20[2-9][0-9]-(0[1-9]|1[0-2])$`)
	formIDForm  = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	domainForm  = regexp.MustCompile(`^@?([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]+$`)
)

const maxRate = 250 // calls in 10 s of the largest plan

// problems collects mistakes in the configuration.
type problems []setting.Problem

func (p *problems) add(key, text, cure string) {
	*p = append(*p, setting.Problem{Key: key, Text: text, Cure: cure})
}

func (p *problems) warn(key, text, cure string) {
	*p = append(*p, setting.Problem{Key: key, Text: text, Cure: cure, Warning: true})
}

// Validate checks the section without network calls.
func (c Config) Validate() []setting.Problem {
	var p problems
	if c.HubID < 0 {
		p.add("hubspot.hub_id", fmt.Sprintf("%d is not a HubID", c.HubID),
			"write the number that HubSpot shows next to the account name, or 0 if it is not needed")
	}
	c.validateToken(&p)
	checkURL(&p, "hubspot.api_url", c.APIURL, "https://api.hubapi.com")
	if !versionForm.MatchString(c.APIVersion) {
		p.add("hubspot.api_version", fmt.Sprintf("%q is not a dated version of HubSpot's API", c.APIVersion),
			`write a dated version such as "2026-09"`)
	}
	c.validateRate(&p)
	c.Contacts.validate(&p)
	c.validateVisitors(&p)
	return p
}

func (c Config) validateToken(p *problems) {
	token := c.AccessToken.Reveal()
	switch {
	case setting.HasPlaceholder(token):
		p.add("hubspot.access_token", "the placeholder is still there",
			"write the service key or app token, preferably as ${file:PATH} or ${NAME}, or leave it empty to turn sync off")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		p.add("hubspot.access_token", "contains white space or an invalid character",
			"copy the token again, without line breaks or quotes")
	}
}

func (c Config) validateRate(p *problems) {
	const key = "hubspot.rate_limit"
	if c.RateLimit.None() && c.RateLimit.Per == 0 {
		p.add(key, "must not be none: HubSpot rejects calls above the plan's limit", "write {requests: 90, per: 10s}")
		return
	}
	if c.RateLimit.Requests < 1 {
		p.add(key+".requests", fmt.Sprintf("must be at least 1, not %d", c.RateLimit.Requests),
			"write a whole number such as 90")
	}
	per := c.RateLimit.Per.D()
	if per < time.Second || per > time.Hour {
		p.add(key+".per", fmt.Sprintf("%s is out of range", c.RateLimit.Per),
			"write a duration from 1s to 1h; HubSpot counts per 10s")
		return
	}
	perWindow := float64(c.RateLimit.Requests) * float64(10*time.Second) / float64(per)
	if perWindow > float64(maxRate) {
		p.warn(key+".requests", fmt.Sprintf("%d calls in %s are more than HubSpot's largest plan allows (%d in 10s)",
			c.RateLimit.Requests, c.RateLimit.Per, maxRate),
			"write at most the limit of your plan: 100 (free, starter), 190 (professional, enterprise) "+
				"or 250 (with the API add-on) in 10s")
	}
}

func (c Config) validateVisitors(p *problems) {
	v := c.Visitors
	checkURL(p, "hubspot.visitors.form_url", v.FormURL, "https://api.hsforms.com")
	switch v.Link {
	case setting.None:
		return
	case "form":
	default:
		p.add("hubspot.visitors.link", notValid(v.Link, "none", "form"),
			"write none, or form to link the browser's history to the contact")
		return
	}
	switch {
	case v.FormID == "":
		p.add("hubspot.visitors.form_id", "required with link: form",
			"write the id of a HubSpot form that has an e-mail field")
	case setting.HasPlaceholder(v.FormID) || !formIDForm.MatchString(v.FormID):
		p.add("hubspot.visitors.form_id", fmt.Sprintf("%q is not a form id", v.FormID),
			"write the id from the form's address in HubSpot, such as 0a1b2c3d-1234-5678-9abc-0123456789ab")
	}
	if c.HubID == 0 {
		p.add("hubspot.hub_id", "required with link: form",
			"write the number that HubSpot shows next to the account name")
	}
}

// checkURL requires https, because the token and personal data are sent there. http is allowed only for a loopback
// address.
func checkURL(p *problems, key, value, example string) {
	cure := "write a URL such as " + example
	u, err := url.Parse(value)
	switch {
	case setting.HasPlaceholder(value):
		p.add(key, "the placeholder is still there", cure)
	case err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		p.add(key, fmt.Sprintf("%q is not a URL with scheme and host", value), cure)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		p.add(key, "has more than scheme, host and port", cure)
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		p.add(key, "http would send the access token unencrypted",
			"write https://; http is allowed only for a loopback address")
	}
}

func (c ContactsConfig) validate(p *problems) {
	if c.MinInterval < 0 {
		p.add("hubspot.contacts.min_interval", "must not be negative",
			"write 0s to send every login, or a duration such as 15m")
	}
	for i, g := range c.Skip.Groups {
		if strings.TrimSpace(g) == "" {
			p.add(fmt.Sprintf("hubspot.contacts.skip.groups[%d]", i), "must not be empty",
				"write the name of a group, or remove the entry")
		}
	}
	for i, d := range c.Skip.EmailDomains {
		if !domainForm.MatchString(d) {
			p.add(fmt.Sprintf("hubspot.contacts.skip.email_domains[%d]", i), fmt.Sprintf("%q is not a domain", d),
				"write the part after the @, such as example.com")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		c.Properties[name].validate(p, name)
	}
}

func (c PropertyConfig) validate(p *problems, name string) {
	key := setting.Join("hubspot.contacts.properties", name)
	switch {
	case name == "email":
		p.add(key, "email is always sent and must not be mapped", "remove it")
	case !crm.IsPropertyName(name):
		p.add(key, fmt.Sprintf("%q is not the internal name of a property", name),
			"write the internal name: lower-case letters, digits and underscores, starting with a letter")
	case name == "lifecyclestage":
		p.warn(key, "a lifecycle stage only moves forward in HubSpot, and sales and marketing use it",
			"map to a custom property, or use write: create_only")
	}
	if slices.Contains(loginValues, c.Claim) {
		p.warn(key, c.Claim+" is read as the name of a claim here",
			"write {value: "+c.Claim+"} for the value of the login")
	}
	c.validateSource(p, key)
	modes := []string{writeAlways, writeIfEmpty, writeCreateOnly}
	if c.Write != "" && !slices.Contains(modes, c.Write) {
		p.add(key+".write", notValid(c.Write, modes...),
			"write always, if_empty or create_only, or leave it out for always")
	}
}

// loginValues are the values of a login besides its claims.
var loginValues = []string{valueLoginTime, valueLoginCount, valueHost, valueFirstPage}

func (c PropertyConfig) validateSource(p *problems, key string) {
	sources := 0
	for _, s := range []string{c.Claim, c.Value, c.Constant} {
		if s != "" {
			sources++
		}
	}
	if sources != 1 {
		text := "has no source"
		if sources > 1 {
			text = "has more than one source"
		}
		p.add(key, text, "write exactly one of claim, value and constant; a plain word is a claim")
	}
	if c.Value != "" && !slices.Contains(loginValues, c.Value) {
		p.add(key+".value", notValid(c.Value, loginValues...),
			"write login_time, login_count, host or first_page, or constant: for a fixed text")
	}
	for member, s := range map[string]string{"claim": c.Claim, "constant": c.Constant} {
		if setting.HasPlaceholder(s) {
			p.add(key+"."+member, "the placeholder is still there", "write the real value")
		}
	}
}

// notValid describes a value that is not one of the valid ones and suggests the nearest.
func notValid(value string, valid ...string) string {
	text := fmt.Sprintf("%q is not a valid value", value)
	if nearest := setting.Nearest(value, valid); nearest != "" {
		text += fmt.Sprintf(" (did you mean %s?)", nearest)
	}
	return text
}
