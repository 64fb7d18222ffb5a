package schema

import (
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// rulesPath is the key of the rules. Package rules describes their keys.
const rulesPath = "proxy.rules"

func proxyKeys() []Key {
	return []Key{
		{Path: "proxy", Text: "the way to HubSpot, and who may see which page", Required: true},
		{
			Path: "proxy.origin", Required: true, Shown: "https://REPLACE_HUBID.sites-proxy.hscoscdn10.net",
			Text:     "HubSpot's origin for your account",
			More:     "`https://HUBID.sites-proxy.hscoscdnNN.net`; NN depends on the data center.",
			Examples: []string{"https://12345678.sites-proxy.hscoscdn10.net"},
		},
		{
			Path: "proxy.origin_host", Examples: []string{"www.example.com"},
			Text: "Host header and TLS name for the origin; empty: the origin's host",
		},
		{Path: "proxy.client_ip_headers", Text: "headers with the visitor's address", More: "HubSpot reads it there."},
		{
			Path: "proxy.default", Required: true, Shown: "public", Words: []string{"public", "login"},
			Text: "the decision for paths without a rule",
		},
		{
			Path: rulesPath, Text: "the most specific pattern decides; the order does not matter",
			More:     "Who may see which page. Two rules that tie are an error.",
			Examples: []string{"[{path: /members/**}, {path: /partners/**, groups: [partner]}]"}, Sample: ruleSample(),
		},
		{
			Path: "proxy.files_cache", Words: []string{setting.None, "private"},
			Text: "`private` lets browsers cache protected files and revalidate",
		},
		{Path: "proxy.timeouts", Text: "how long hubgate waits for the origin"},
		{Path: "proxy.timeouts.dial", Text: "time to connect, DNS included"},
		{Path: "proxy.timeouts.tls", Text: "time for the TLS handshake"},
		{Path: "proxy.timeouts.response_header", Text: "time until the origin responds; then visitors get a 504"},
		{Path: "proxy.timeouts.idle", Text: "idle connections to the origin are closed after this time"},
		{
			Path: "proxy.max_request_body", Examples: []string{"10MiB"},
			Text: "largest request body, or none; larger ones get a 413",
		},
	}
}

// ruleSample returns three rules: a plain one, one with groups, and one, commented out, with all the other keys.
func ruleSample() []string {
	sample := [3][]string{}
	for _, k := range rules.Keys() {
		for i, only := range []string{"access", "groups", ""} {
			shown := k.Name == "path" || k.Name == only || only == "" && k.Name != "access" && k.Name != "groups"
			if !shown || len(k.Examples) == 0 {
				continue
			}
			value := k.Examples[0]
			if k.Name == "path" {
				value = k.Examples[i]
			}
			line := "  " + k.Name + ": " + value
			if len(sample[i]) == 0 {
				line = "- " + line[2:]
			}
			if i == 2 {
				line = "# " + line
			}
			sample[i] = append(sample[i], line)
		}
	}
	return append(append(sample[0], sample[1]...), sample[2]...)
}

func hubSpotFeatureKeys() []Key {
	words := rules.FeatureWords()
	return []Key{
		{
			Path: "proxy.hubspot",
			Text: "HubSpot's special addresses: public | login | login_if_protected | refuse",
			More: "`login_if_protected` asks for a login if any rule protects a page.",
		},
		{Path: "proxy.hubspot.previews", Words: words, Text: "unpublished pages: `?hs_preview`, `/_hcms/preview/**`, drafts"},
		{
			Path: "proxy.hubspot.preview_groups", Examples: []string{"[editors]"},
			Text: "groups that may see previews; empty: every logged-in visitor",
		},
		{Path: "proxy.hubspot.debug", Words: words, Text: "debug output: `?hsDebug`, `?hsCacheBuster`, `?developerMode`"},
		{Path: "proxy.hubspot.diagnostics", Words: words, Text: "diagnostics: `/_hcms/diagnostics`, `/_hcms/_worker/**`"},
		{
			Path: "proxy.hubspot.search", Words: words,
			Text: "search and its results page, which can show protected texts",
			More: "`/_hcms/search` and `search_page`.",
		},
		{Path: "proxy.hubspot.search_page", Text: "path of the page with search results"},
	}
}

func testKeys() []Key {
	return []Key{
		{
			Path: "proxy.tests", Text: "expected decisions; verified by check, at the start and at each reload",
			Examples: []string{"[{url: /members/a, expect: login}]"},
			Sample: []string{
				"- url: /members/area", "  expect: login",
				"- url: /partners/area", "  as:", "    groups: [partner]", "  expect: allow",
				"# - url: /board/area", "#   as:", `#     claims: {"custom:tier": [gold]}`, "#     lists: [customers]",
				"#     properties: {member_tier: [gold]}", "#   expect: allow",
			},
		},
		{
			Path: "proxy.tests.url", Required: true, Examples: []string{"/members/area", "https://www.example.com/?hsDebug=1"},
			Text: "a path on the first public host, or a URL of a public host",
		},
		{
			Path: "proxy.tests.expect", Required: true, Words: []string{"public", "allow", "login", "forbid", "refuse"},
			Text: "the expected decision",
			More: "`public`: no login needed; `allow`: logged in and admitted.",
		},
		{
			Path: "proxy.tests.as", Usual: "not logged in", Examples: []string{"{}", "{groups: [partner]}"},
			Text: "the logged-in visitor; {}: without groups",
			More: "The e-mail address is verified, and the contact has exactly these `lists` and `properties`.",
		},
		{Path: "proxy.tests.as.groups", Examples: []string{"[partner]"}, Text: "the visitor's groups"},
		{
			Path: "proxy.tests.as.claims", Examples: []string{`{"custom:tier": gold}`},
			Text: "the visitor's claims", Entry: "value or values of this claim",
		},
		{
			Path: "proxy.tests.as.lists", Examples: []string{"[customers]"},
			Text: "the lists of `hubspot.access` that the contact is in",
		},
		{
			Path: "proxy.tests.as.properties", Examples: []string{"{member_tier: gold}"},
			Text: "the contact's properties", Entry: "value or values of this property",
		},
	}
}
