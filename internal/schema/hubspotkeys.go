package schema

import "github.com/hubgate/hubgate/internal/setting"

func hubSpotKeys() []Key {
	return append([]Key{
		{Path: "hubspot", Text: "HubSpot's CRM: contacts, and what rules ask about them"},
		{
			Path: "hubspot.hub_id", Examples: []string{"12345678"},
			Text: "Hub ID of your account; needed for `visitors.link`",
		},
		{
			Path: "hubspot.access_token", Examples: []string{"${HUBSPOT_TOKEN}"},
			Text: "service key or app token; empty: no contact sync",
			More: "Required for `access`.",
		},
		{Path: "hubspot.api_url", Text: "address of HubSpot's API"},
		{Path: "hubspot.api_version", Text: "dated version of HubSpot's API"},
		{Path: "hubspot.rate_limit", Text: "API calls of all replicas together"},
		{Path: "hubspot.rate_limit.requests", Text: "number of calls", Examples: []string{"90"}},
		{Path: "hubspot.rate_limit.per", Text: "time span in which calls count", Examples: []string{"10s"}},
	}, visitorKeys()...)
}

func visitorKeys() []Key {
	return []Key{
		{Path: "hubspot.visitors", Text: "HubSpot's tracking cookies in the visitor's browser"},
		{
			Path: "hubspot.visitors.link", Words: []string{setting.None, "form"},
			Text: "whether the browser's HubSpot history is linked to the contact",
			More: "By a form submission; see `form_id`.",
		},
		{
			Path: "hubspot.visitors.form_id", Text: "the form for `link: form`",
			Examples: []string{"1a2b3c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d"},
		},
		{
			Path: "hubspot.visitors.form_url", Text: "where forms are sent; depends on the data center",
		},
		{
			Path: "hubspot.visitors.forget_on_logout",
			Text: "expire HubSpot's tracking cookies at logout, for shared computers",
		},
	}
}

func contactKeys() []Key {
	return []Key{
		{Path: "hubspot.contacts", Text: "the contact of each visitor who logs in"},
		{Path: "hubspot.contacts.sync", Text: "create and update contacts; needs `access_token`"},
		{Path: "hubspot.contacts.require_verified_email", Text: "no contact without a verified e-mail address"},
		{
			Path: "hubspot.contacts.min_interval", Examples: []string{"0s"},
			Text: "an unchanged contact is not sent again within this time",
		},
		{Path: "hubspot.contacts.skip", Text: "visitors who never become contacts"},
		{Path: "hubspot.contacts.skip.groups", Text: "members of these groups", Examples: []string{"[staff]"}},
		{
			Path: "hubspot.contacts.skip.email_domains", Text: "people with addresses of these domains",
			Examples: []string{"[example.com]"},
		},
		{
			Path: "hubspot.contacts.properties", Entry: "source of this property: the name of a claim, or a mapping",
			Text:     "HubSpot property: source; empty: only the e-mail address is sent",
			Examples: []string{"{firstname: given_name, lead_source: {constant: portal, write: create_only}}"},
			Sample: []string{
				"cognito_sub: sub  # unique values: finds the contact when the e-mail address has changed",
				"firstname: given_name  # a plain name is a claim",
				"lastname: {claim: family_name, write: if_empty}  # always (default) | if_empty | create_only",
				`portal_groups: "cognito:groups"  # several values are joined with ;`,
				"last_portal_login: {value: login_time}  # login_time | login_count | host | first_page",
				"lead_source: {constant: portal, write: create_only}  # always this text",
			},
		},
		{
			Path: "hubspot.contacts.properties.claim", Examples: []string{"family_name", `"cognito:groups"`},
			Text: "name of a claim; semicolons join several values",
		},
		{
			Path: "hubspot.contacts.properties.value", Words: []string{"login_time", "login_count", "host", "first_page"},
			Text: "a value that hubgate knows, instead of a claim",
		},
		{
			Path: "hubspot.contacts.properties.constant", Text: "always this text, instead of a claim",
			Examples: []string{"portal"},
		},
		{
			Path: "hubspot.contacts.properties.write", Words: []string{"always", "if_empty", "create_only"}, Usual: "always",
			Text: "after every login, only if the contact has no value, or only when it is created",
		},
	}
}

func accessKeys() []Key {
	return []Key{
		{Path: "hubspot.access", Text: "what rules may ask HubSpot about visitors; needs `access_token`"},
		{
			Path: "hubspot.access.properties", Examples: []string{"[member_tier]"},
			Text: "contact properties; rules read them as the claims `hubspot.NAME`",
		},
		{
			Path: "hubspot.access.lists", Examples: []string{"{customers: 1234}"},
			Text:  "names for rules, and the ILS ids of lists",
			More:  "Lists (segments) of contacts. In HubSpot, Details of a segment shows the ILS list ID.",
			Entry: "ILS id of the list",
		},
		{
			Path: "hubspot.access.refresh", Examples: []string{"5m"},
			Text: "what HubSpot says about a visitor is read again after this time",
			More: "At least 1s.",
		},
		{
			Path: "hubspot.access.max_stale", Examples: []string{"1d"},
			Text: "what HubSpot said counts this long while it does not answer; then 503",
			More: "From 1m to 7d, and not shorter than `refresh`.",
		},
		{
			Path: "hubspot.access.allow_form_fields", Examples: []string{"[member_tier]"},
			Text: "properties that public forms can set and that may still decide access",
			More: "Anyone can give themselves access by such a property.",
		},
	}
}
