package hubspot

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

var (
	versionForm = regexp.MustCompile(`^20[2-9][0-9]-(0[1-9]|1[0-2])$`)
	formIDForm  = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
)

const maxRate = 250 // calls in 10 s of the largest plan

// Validate checks the section without network calls.
func (c Config) Validate() []setting.Problem {
	var p setting.Problems
	if c.HubID < 0 {
		p.Add("hubspot.hub_id", fmt.Sprintf("%d is not a HubID", c.HubID),
			"write the number that HubSpot shows next to the account name, or 0 if it is not needed")
	}
	c.validateToken(&p)
	checkURL(&p, "hubspot.api_url", c.APIURL, "https://api.hubapi.com")
	if !versionForm.MatchString(c.APIVersion) {
		p.Add("hubspot.api_version", fmt.Sprintf("%q is not a dated version of HubSpot's API", c.APIVersion),
			`write a dated version such as "2026-09"`)
	}
	c.validateRate(&p)
	p = append(p, c.Contacts.Validate()...)
	c.validateVisitors(&p)
	p = append(p, c.Access.Validate()...)
	if c.Access.On() && c.AccessToken == "" {
		p.Add("hubspot.access_token", "required with hubspot.access: HubSpot is asked about visitors with it",
			"write the service key as ${NAME} or ${file:PATH}, or remove the lists and properties of hubspot.access")
	}
	if c.Access.On() && !c.Contacts.RequireVerifiedEmail {
		p.Warn("hubspot.contacts.require_verified_email", "false has no effect on hubspot.access, which admits only people "+
			"whose e-mail address the provider has verified", "map email_verified in Cognito for users of external "+
			"providers, which leave it false otherwise, or set it to true")
	}
	return p
}

func (c Config) validateToken(p *setting.Problems) {
	token := c.AccessToken.Reveal()
	switch {
	case setting.HasPlaceholder(token):
		p.Add("hubspot.access_token", "the placeholder is still there",
			"write the service key or app token, preferably as ${file:PATH} or ${NAME}, or leave it empty to turn sync off")
	case setting.IsNone(token) || setting.MeansNone(token):
		p.Add("hubspot.access_token", setting.Quote(token)+" is not a token",
			"write access_token: \"\", or remove the key, to turn contact sync off")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		p.Add("hubspot.access_token", "contains white space or an invalid character",
			"copy the token again, without line breaks or quotes")
	}
}

func (c Config) validateRate(p *setting.Problems) {
	const key = "hubspot.rate_limit"
	if c.RateLimit.None() && c.RateLimit.Per == 0 {
		p.Add(key, "must not be none: HubSpot rejects calls above the plan's limit", "write {requests: 90, per: 10s}")
		return
	}
	if c.RateLimit.Requests < 1 {
		p.Add(key+".requests", fmt.Sprintf("must be at least 1, not %d", c.RateLimit.Requests),
			"write a whole number such as 90")
	}
	per := c.RateLimit.Per.D()
	if per < time.Second || per > time.Hour {
		p.Add(key+".per", fmt.Sprintf("%s is out of range", c.RateLimit.Per),
			"write a duration from 1s to 1h; HubSpot counts per 10s")
		return
	}
	perWindow := float64(c.RateLimit.Requests) * float64(10*time.Second) / float64(per)
	if perWindow > float64(maxRate) {
		p.Warn(key+".requests", fmt.Sprintf("%d calls in %s are more than HubSpot's largest plan allows (%d in 10s)",
			c.RateLimit.Requests, c.RateLimit.Per, maxRate),
			"write at most the limit of your plan: 100 (free, starter), 190 (professional, enterprise) "+
				"or 250 (with the API add-on) in 10s")
	}
}

func (c Config) validateVisitors(p *setting.Problems) {
	v := c.Visitors
	checkURL(p, "hubspot.visitors.form_url", v.FormURL, "https://api.hsforms.com")
	switch v.Link {
	case setting.None:
		return
	case "form":
	default:
		p.Add("hubspot.visitors.link", setting.NotValid(v.Link, "none", "form"),
			"write none, or form to link the browser's history to the contact")
		return
	}
	switch {
	case v.FormID == "":
		p.Add("hubspot.visitors.form_id", "required with link: form",
			"write the id of a HubSpot form that has an e-mail field")
	case setting.HasPlaceholder(v.FormID) || !formIDForm.MatchString(v.FormID):
		p.Add("hubspot.visitors.form_id", fmt.Sprintf("%q is not a form id", v.FormID),
			"write the id from the form's address in HubSpot, such as 0a1b2c3d-1234-5678-9abc-0123456789ab")
	}
	if c.HubID == 0 {
		p.Add("hubspot.hub_id", "required with link: form",
			"write the number that HubSpot shows next to the account name")
	}
}

// checkURL requires https, because the token and personal data are sent there. http is allowed only for a loopback
// address.
func checkURL(p *setting.Problems, key, value, example string) {
	cure := "write a URL such as " + example
	u, err := url.Parse(value)
	switch {
	case setting.HasPlaceholder(value):
		p.Add(key, "the placeholder is still there", cure)
	case err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		p.Add(key, fmt.Sprintf("%q is not a URL with scheme and host", value), cure)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		p.Add(key, "has more than scheme, host and port", cure)
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		p.Add(key, "http would send the access token unencrypted",
			"write https://; http is allowed only for a loopback address")
	}
}
