package proxy

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Validate says what is wrong with the section on its own; NewRules judges the patterns and the rules as a whole.
func (c Config) Validate() []setting.Problem {
	problems := validateOrigin(c.Origin)
	if c.OriginHost != "" {
		problems = append(problems, validateHost("proxy.origin_host", c.OriginHost)...)
	}
	problems = append(problems, oneOf("proxy.default", c.Default, "public", "login")...)
	problems = append(problems, oneOf("proxy.files_cache", c.FilesCache, setting.None, "private")...)
	problems = append(problems, c.HubSpot.validate()...)
	problems = append(problems, c.Timeouts.validate()...)
	problems = append(problems, validateClientIPHeaders(c.ClientIPHeaders)...)
	names := map[string]int{}
	for i, r := range c.Rules {
		problems = append(problems, r.validate(i)...)
		name := r.Name
		if name == "" && len(r.Path) > 0 {
			name = r.Path[0]
		}
		if first, taken := names[name]; taken && r.Name != "" {
			problems = append(problems, setting.Problem{Key: ruleAt(i) + ".name", Text: fmt.Sprintf("%s names the rule of line %d already", quote(name), c.Rules[first].Line), Cure: "give each rule a name of its own: it is a metric label"})
		} else if !taken {
			names[name] = i
		}
	}
	for i, t := range c.Tests {
		problems = append(problems, t.validate("proxy.tests["+itoa(i)+"]")...)
	}
	return problems
}

func oneOf(key, word string, words ...string) []setting.Problem {
	if slices.Contains(words, word) {
		return nil
	}
	cure := "write one of: " + strings.Join(words, ", ")
	if word == "" {
		return []setting.Problem{{Key: key, Text: "it is required", Cure: cure}}
	}
	if near := setting.Nearest(word, words); near != "" {
		cure = "did you mean " + near + "? " + cure
	}
	return []setting.Problem{{Key: key, Text: quote(word) + " is not a word it knows", Cure: cure}}
}

// validateHost wants a host with an optional port, and nothing else of a URL.
func validateHost(key, host string) []setting.Problem {
	u, err := url.Parse("//" + host)
	if err == nil && u.Host == host && u.Hostname() != "" && !strings.ContainsAny(host, "*_ ") {
		return nil
	}
	p := setting.Problem{Key: key, Text: quote(host) + " is not a host", Cure: "write a host such as www.example.com, with a port if it has one of its own"}
	switch full, err := url.Parse(host); {
	case strings.Contains(host, "*"):
		p.Cure = "write each host by its name: a rule without hosts is for all of them"
	case err == nil && full.User != nil:
		p.Text = "it holds a password, and is not a host"
	case err == nil && full.Host != "":
		p.Cure = "write " + quote(full.Host)
	}
	return []setting.Problem{p}
}

func (d DoorsConfig) validate() []setting.Problem {
	words := []string{"public", "login", "login_if_protected", "refuse"}
	var problems []setting.Problem
	for _, door := range []struct{ key, word string }{
		{"previews", d.Previews}, {"debug", d.Debug}, {"diagnostics", d.Diagnostics}, {"search", d.Search},
	} {
		problems = append(problems, oneOf("proxy.hubspot."+door.key, door.word, words...)...)
	}
	if d.SearchPage != "" {
		if p, bad := parsePattern(d.SearchPage); bad != nil || !p.simple() {
			problems = append(problems, setting.Problem{Key: "proxy.hubspot.search_page", Text: quote(d.SearchPage) + " is not a path", Cure: "write the path of the results page, such as /hs-search-results"})
		}
	}
	for i, g := range d.PreviewGroups {
		if strings.TrimSpace(g) != g || g == "" {
			problems = append(problems, setting.Problem{Key: "proxy.hubspot.preview_groups[" + itoa(i) + "]", Text: quote(g) + " is empty or has spaces around it", Cure: "write the word alone"})
		}
	}
	if len(d.PreviewGroups) > 0 && d.Previews != "login" {
		problems = append(problems, setting.Problem{Key: "proxy.hubspot.preview_groups", Text: "it has no effect while previews is " + d.Previews, Cure: "set previews: login, or remove preview_groups"})
	}
	return problems
}

func (t Timeouts) validate() []setting.Problem {
	var problems []setting.Problem
	for _, d := range []struct {
		key   string
		value setting.Duration
	}{{"dial", t.Dial}, {"tls", t.TLS}, {"response_header", t.ResponseHeader}, {"idle", t.Idle}} {
		if d.value <= 0 {
			problems = append(problems, setting.Problem{Key: "proxy.timeouts." + d.key, Text: "no time at all would fail every request", Cure: "write a time such as 5s"})
		}
	}
	return problems
}

// notForAddresses are headers that HubSpot or HTTP itself reads for another purpose.
var notForAddresses = []string{
	"Host", "Cookie", "Authorization", "Connection", "Content-Length", "Content-Type", "Expect", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"X-Forwarded-Host", "X-Forwarded-Proto", "X-HS-Public-Host", "X-HubSpot-Trust-Forwarded-For",
}

func validateClientIPHeaders(names []string) []setting.Problem {
	var problems []setting.Problem
	for i, name := range names {
		p := setting.Problem{Key: "proxy.client_ip_headers[" + itoa(i) + "]", Cure: "write a name such as X-Forwarded-For"}
		switch {
		case name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			p.Text = quote(name) + " is not a header name"
		case slices.ContainsFunc(notForAddresses, func(h string) bool { return strings.EqualFold(h, name) }):
			p.Text = quote(name) + " means something else, and an address in it would break requests"
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}
