package doctor

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

const (
	accessPart       = "hubspot access"
	accessProperties = "hubspot.access.properties"
	allowFormFields  = "hubspot.access.allow_form_fields"
	writtenKey       = "hubspot.contacts.properties"
)

// accessCheck checks who can change what the rules read from HubSpot. Who can write a value decides who can enter.
type accessCheck struct {
	account *crm.Account
	cfg     hubspot.Config
	cognito bool   // whether people log in at Cognito
	groups  string // the claim with the groups
	rules   []rules.RuleConfig
	schema  crm.Schema // nil: it cannot be read, which is a finding of its own
	lists   map[string]crm.List
	// allowed are the form fields that decide because allow_form_fields names them; incomplete reports whether there may
	// be more, because a list could not be read.
	allowed    []string
	incomplete bool
}

// checkAccess checks the properties and lists of hubspot.access.
func (d *doctor) checkAccess(ctx context.Context, account *crm.Account) []setting.Finding {
	c := &accessCheck{
		account: account, cfg: d.cfg.HubSpot, cognito: d.cfg.Auth.OpenID().Cognito(), groups: d.cfg.Auth.GroupsClaim,
		rules: d.cfg.Proxy.Rules, lists: map[string]crm.List{},
	}
	if !c.cfg.Access.On() {
		return nil
	}
	all := []setting.Finding{c.address()}
	var err error
	if c.schema, err = account.Schema(ctx); err != nil {
		all = append(all, apiFinding(c.cfg, err, schemaScope))
	}
	for _, name := range c.cfg.Access.Properties {
		all = append(all, c.property(name)...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Access.Lists)) {
		all = append(all, c.list(ctx, name, string(c.cfg.Access.Lists[name]))...)
	}
	return append(all, c.unusedAllowances()...)
}

// unusedAllowances returns a warning for each entry of allow_form_fields that allows nothing: it would hide that a form
// can set the property from the day on that a list rests on it.
func (c *accessCheck) unusedAllowances() (all []setting.Finding) {
	if c.schema == nil || c.incomplete {
		return nil
	}
	for _, name := range c.cfg.Access.AllowFormFields {
		if !slices.Contains(c.allowed, name) {
			all = append(all, warning(accessPart, name+": "+c.needless(name), "remove it", allowFormFields))
		}
	}
	return all
}

// needless returns why an entry of allow_form_fields allows nothing.
func (c *accessCheck) needless(name string) string {
	switch p, known := c.schema[name]; {
	case !known || p.Archived:
		return "HubSpot has no such property"
	case !p.FormField:
		return "no form can set it"
	}
	return "no property or list of hubspot.access uses it"
}

// address says whose answer counts. A pool does not show whether its users come from another provider, so this is not
// a warning, which every pool without one would get too; but a configuration that makes contacts of unverified
// addresses probably has people with them.
func (c *accessCheck) address() setting.Finding {
	f := ok(accessPart, "a contact counts only for a person whose e-mail address the provider has verified")
	if !c.cfg.Contacts.RequireVerifiedEmail {
		f.Status, f.Cure, f.Where = setting.Warning, "let the provider send email_verified: true", "provider"
		f.Detail += ", also with require_verified_email: false; others get a 403"
	}
	if c.cognito {
		f.Detail += "; Cognito leaves the addresses of external providers' users unverified"
		f.Cure = "if the pool has external providers that verify addresses, map their attribute to email_verified"
		f.Where = "Cognito console: Authentication, Social and external providers, the provider, Attribute mapping"
	}
	return f
}

// property checks a property that rules read.
func (c *accessCheck) property(name string) []setting.Finding {
	if c.schema == nil {
		return nil
	}
	p, known := c.schema[name]
	if !known || p.Archived {
		return []setting.Finding{failed(accessPart, "HubSpot has no property "+name,
			"create it in HubSpot, not shown in forms, or correct the name", accessProperties)}
	}
	all := c.writers(accessPart, "", []string{name})
	if len(all) == 0 {
		all = append(all, ok(accessPart, name+": forms cannot set it"))
	}
	return append(all, c.values(p)...)
}

// writers returns a finding for each group of properties that a visitor can change. prefix names what reads them.
func (c *accessCheck) writers(part string, prefix user, properties []string) (all []setting.Finding) {
	var forms, allowed, behavior, everyone []string
	for _, name := range properties {
		switch {
		case c.schema[name].FormField && slices.Contains(c.cfg.Access.AllowFormFields, name):
			allowed = append(allowed, name)
		case c.schema[name].FormField:
			forms = append(forms, name)
		case setByVisits(name):
			behavior = append(behavior, name)
		case everyContact(name):
			everyone = append(everyone, name)
		}
		if f, writes := c.written(part, prefix, name); writes {
			all = append(all, f)
		}
	}
	if len(forms) > 0 {
		all = append(all, failed(part, prefix.about(forms, "forms can set",
			"anybody who fills in a public form can give themselves the value"),
			"in HubSpot, do not show "+them(forms)+" in forms; "+
				"or, if no form that the public can fill in has "+them(forms)+", list "+them(forms)+" in allow_form_fields",
			"HubSpot: Settings, Properties; "+allowFormFields))
	}
	if len(behavior) > 0 {
		all = append(all, warning(part, prefix.about(behavior, "HubSpot sets from visits, forms and e-mails",
			"any visitor can change the value"),
			"let something decide that only your staff or your systems can change", "HubSpot: Settings, Properties"))
	}
	if len(everyone) > 0 {
		all = append(all, warning(part, prefix.about(everyone, "HubSpot sets for every contact",
			"a contact that a first login creates may meet a condition on "+them(everyone)),
			"see whether a new contact meets it, or let something decide that only your staff or your systems can change",
			"HubSpot: Settings, Properties"))
	}
	c.allowed = append(c.allowed, allowed...)
	if len(allowed) > 0 {
		all = append(all, ok(part, prefix.about(allowed, "forms can set", "allow_form_fields permits it")))
	}
	return all
}

// user names what uses properties, such as "its filters use "; "" are the rules.
type user string

// about returns a sentence about properties: what happens to them, and what follows.
func (u user) about(names []string, what, follows string) string {
	list := strings.Join(names, ", ")
	if u == "" {
		return what + " " + list + ": " + follows
	}
	return string(u) + list + ", which " + what + ": " + follows
}

func them(names []string) string {
	if len(names) == 1 {
		return "it"
	}
	return "them"
}

// written reports whether each login writes a property, and so decides about access itself.
func (c *accessCheck) written(part string, prefix user, name string) (f setting.Finding, writes bool) {
	p, mapped := c.cfg.Contacts.Properties[name]
	if !mapped || !c.cfg.Contacts.Sync {
		return setting.Finding{}, false
	}
	detail, cure := string(prefix)+name+": each login writes it, so that the login decides about access", "do not map it"
	switch {
	case p.Claim == c.groups && p.Claim != "":
		detail += ", with the groups of the provider"
		cure = "use groups in the rule, which needs no detour through HubSpot; or do not map it"
	case p.Claim != "":
		detail += "; a user who can edit the claim " + p.Claim + " at the provider can enter"
		cure = "use claims in the rule if users cannot edit the claim; otherwise do not map it"
	}
	return warning(part, detail, cure, setting.Join(writtenKey, name)), true
}

// setByVisits reports whether HubSpot calculates a property from what visitors do.
func setByVisits(name string) bool {
	for _, prefix := range []string{
		"hs_analytics_", "hs_email_", "hs_latest_source", "hs_sa_", "hs_social_", "hs_feedback_", "first_conversion_",
		"recent_conversion_", "num_conversion_events", "num_unique_conversion_events", "hs_calculated_form_submissions",
		"ip_", "hs_ip_", "hs_google_click_id", "hs_facebook_click_id", "hs_sales_email_last_", "hs_last_sales_activity_",
		"engagements_last_meeting_booked",
	} {
		if strings.HasPrefix(name, prefix) {
			return name != "hs_email_domain" // which follows from the address
		}
	}
	return false
}

// everyContact reports whether HubSpot sets a property when a contact is created, also by a first login.
func everyContact(name string) bool {
	switch name {
	case "createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_object_id", "hs_is_contact",
		"hs_is_unworked", "hs_full_name_or_email":
		return true
	}
	return strings.HasPrefix(name, "hs_object_source")
}
