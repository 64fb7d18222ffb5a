package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/setting"
)

// crossHubID warns when proxy.origin shows the pages of one HubSpot account, and hub_id names another.
func crossHubID(c *Config) []setting.Problem {
	u, err := url.Parse(c.Proxy.Origin)
	if err != nil || c.HubSpot.HubID <= 0 {
		return nil
	}
	account, rest, _ := strings.Cut(u.Hostname(), ".")
	id, err := strconv.ParseInt(account, 10, 64)
	if err != nil || id == c.HubSpot.HubID || !strings.HasPrefix(rest, "sites-proxy.") {
		return nil
	}
	return warning("hubspot.hub_id",
		fmt.Sprintf("account mismatch: %d, but proxy.origin is for account %s", c.HubSpot.HubID, account),
		"use the same HubID in both")
}

// crossScopes reports that logins have no e-mail address, by which HubSpot knows contacts.
func crossScopes(c *Config) []setting.Problem {
	if c.HubSpot.Access.On() && !slices.Contains(c.Auth.Scopes, "email") {
		return setting.Mistake("auth.scopes",
			"the scope email is missing, without which hubspot.access finds no contacts", "add email")
	}
	if c.HubSpot.AccessToken == "" || !c.HubSpot.Contacts.Sync || slices.Contains(c.Auth.Scopes, "email") {
		return nil
	}
	return warning("auth.scopes", "the scope email is missing, so logins create no contacts",
		"add email, or set hubspot.contacts.sync: false")
}

// ContactGroups returns the groups that rules, previews and the test page name, without those of
// hubspot.contacts.skip, whose members never become contacts.
func (c *Config) ContactGroups() mapping.Groups {
	names := slices.Concat(c.Auth.AdminGroups, c.Proxy.HubSpot.PreviewGroups)
	for _, r := range c.Proxy.Rules {
		names = append(names, r.Groups...)
		names = append(names, r.Claims[c.Auth.GroupsClaim]...)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(g string) bool {
		return slices.Contains(c.HubSpot.Contacts.Skip.Groups, g)
	})
	return mapping.Groups{Claim: c.Auth.GroupsClaim, Names: names}
}

// crossLink checks what visitors.link: form needs: it submits a form that links a browser to a contact.
func crossLink(c *Config) []setting.Problem {
	v := c.HubSpot.Visitors
	switch {
	case v.Link == setting.None && v.FormID != "":
		return setting.Mistake("hubspot.visitors.form_id", "has no effect with link: none", "remove it, or set link: form")
	case v.Link == "form" && c.HubSpot.AccessToken == "":
		return setting.Mistake("hubspot.access_token", "required with visitors.link: form",
			"write the service key as ${NAME} or ${file:PATH}, or set visitors.link: none")
	case v.Link == "form" && !c.HubSpot.Contacts.Sync:
		return setting.Mistake("hubspot.contacts.sync", "must be true with visitors.link: form",
			"write sync: true, or set visitors.link: none")
	}
	return nil
}
