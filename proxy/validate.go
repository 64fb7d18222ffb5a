package proxy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Validate checks the section on its own; rules.New checks the rules as a whole.
func (c Config) Validate() []setting.Problem {
	problems := validateOrigin(c.Origin)
	if c.OriginHost != "" {
		problems = append(problems, setting.CheckHost("proxy.origin_host", c.OriginHost)...)
	}
	problems = append(problems, setting.CheckWord("proxy.files_cache", c.FilesCache, setting.None, "private")...)
	problems = append(problems, c.Timeouts.validate()...)
	problems = append(problems, validateClientIPHeaders(c.ClientIPHeaders)...)
	return append(problems, c.AccessRules().Validate()...)
}

func (t Timeouts) validate() []setting.Problem {
	var problems []setting.Problem
	for _, d := range []struct {
		key   string
		value setting.Duration
	}{{"dial", t.Dial}, {"tls", t.TLS}, {"response_header", t.ResponseHeader}, {"idle", t.Idle}} {
		if d.value <= 0 {
			problems = append(problems, setting.Problem{
				Key: "proxy.timeouts." + d.key, Text: "must be greater than 0", Cure: "write a duration such as 5s",
			})
		}
	}
	return problems
}

// notForAddresses are headers that have another meaning for HTTP or HubSpot.
var notForAddresses = []string{
	"Host", "Cookie", "Authorization", "Connection", "Content-Length", "Content-Type", "Expect", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HS-Public-Host",
	"X-HubSpot-Trust-Forwarded-For",
}

func validateClientIPHeaders(names []string) []setting.Problem {
	var problems []setting.Problem
	for i, name := range names {
		p := setting.Problem{
			Key:  "proxy.client_ip_headers[" + strconv.Itoa(i) + "]",
			Cure: "write a name such as X-Forwarded-For",
		}
		switch {
		case name == "" || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			p.Text = setting.Quote(name) + " is not a header name"
		case slices.ContainsFunc(notForAddresses, func(h string) bool { return strings.EqualFold(h, name) }):
			p.Text = setting.Quote(name) + " has another meaning in HTTP or for HubSpot, so it cannot carry the address"
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}
