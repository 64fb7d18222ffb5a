package proxy

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
)

func validateOrigin(origin string) []setting.Problem {
	key := "proxy.origin"
	bad := func(text, cure string) []setting.Problem {
		return []setting.Problem{{Key: key, Text: text, Cure: cure}}
	}
	const shape = "write https://HUBID.sites-proxy.hscoscdnNN.net, " +
		"or hscoscdnNN-eu1.net and the like in other data centers"
	u, err := url.Parse(origin)
	switch {
	case origin == "":
		return bad("required", shape)
	case setting.HasPlaceholder(origin):
		return bad("the placeholder is still there", shape)
	case err != nil:
		return bad("not a URL", shape) // not shown, because it may contain a password
	case originForm.MatchString(strings.ToLower(origin)):
		return bad(setting.Quote(origin)+" is not a URL with scheme and host", "write https://"+strings.ToLower(origin))
	case u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return bad(setting.Quote(u.Redacted())+" is not a URL with scheme and host", shape)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		return bad(setting.Quote(u.Redacted())+" has more than scheme, host and port",
			"write only "+setting.Quote(u.Scheme+"://"+u.Host))
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		return bad("http would send pages and cookies unencrypted to "+setting.Quote(u.Host),
			"write https://; http:// is allowed only for loopback addresses")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return bad(setting.Quote(port)+" is not a port", "write a port from 1 to 65535, or none")
		}
	}
	return validateOriginHost(key, strings.ToLower(u.Hostname()))
}

// originForm matches HubSpot's origins for reverse proxies. Its groups are the HubID, the number after hscoscdn, and
// the suffix of the data center.
var originForm = regexp.MustCompile(`^([0-9]+)\.sites-proxy\.hscoscdn([0-9]{2})(-[a-z]{2}[0-9])?\.net$`)

// OriginNumber returns the number after hscoscdn in the origin of an account, which follows from the last two digits of
// its HubID, as docs/install.md describes.
func OriginNumber(hubID int64) int {
	last := int(hubID % 100)
	return max(0, last-1) % 50 / 10 * 10
}

// checkOriginNumber warns about a number after hscoscdn that belongs to other accounts.
func checkOriginNumber(key, hubID, number, dataCenter string) []setting.Problem {
	id, err := strconv.ParseInt(hubID, 10, 64)
	if expected := fmt.Sprintf("%02d", OriginNumber(id)); err == nil && number != expected {
		return []setting.Problem{{
			Key: key, Warning: true, Text: "hscoscdn" + number + " is probably wrong: HubIDs that end in " +
				fmt.Sprintf("%02d", id%100) + " have hscoscdn" + expected,
			Cure: "write https://" + hubID + ".sites-proxy.hscoscdn" + expected + dataCenter + ".net, and run check --live",
		}}
	}
	return nil
}

// validateOriginHost checks that a host is HubSpot's origin for reverse proxies, if it is one of HubSpot's.
func validateOriginHost(key, host string) []setting.Problem {
	bad := func(text string) []setting.Problem {
		return []setting.Problem{{
			Key: key, Text: setting.Quote(host) + text,
			Cure: "write HubSpot's origin for reverse proxies: https://HUBID.sites-proxy.hscoscdnNN.net " +
				"(in data centers other than na1: NN-na2, NN-na3, NN-eu1 or NN-ap1)",
		}}
	}
	first, _, _ := strings.Cut(host, ".")
	matched := originForm.FindStringSubmatch(host)
	switch {
	case strings.Contains(host, ".hs-sites"):
		return bad(" is HubSpot's system domain, which does not serve pages of connected domains")
	case matched != nil && matched[3] == "-na1":
		return bad(" has a suffix that does not exist: origins in na1 have none")
	case matched != nil && !slices.Contains([]string{"", "-na2", "-na3", "-eu1", "-ap1"}, matched[3]):
		problems := bad(" is in an unknown data center")
		problems[0].Warning = true
		return problems
	case matched != nil:
		return checkOriginNumber(key, matched[1], matched[2], matched[3])
	case strings.Contains(host, ".sites-proxy.") && strings.Trim(first, "0123456789") != "":
		return []setting.Problem{{
			Key: key, Text: setting.Quote(host) + " does not begin with a HubID",
			Cure: "write your HubSpot account ID first: https://HUBID.sites-proxy...",
		}}
	case strings.Contains(host, "hscoscdn") || strings.Contains(host, "sites-proxy"):
		return bad(" is not a valid HubSpot origin")
	case isHubSpots(host):
		return bad(" is a HubSpot host that does not serve sites to proxies")
	}
	return nil
}

// isHubSpots reports whether a host is one of HubSpot's.
func isHubSpots(host string) bool {
	return slices.ContainsFunc([]string{
		"hubspot.com", "hubspot.net", "hubapi.com", "hsforms.com", "hubspotpagebuilder.com", "hubspotpagebuilder.eu",
		"hubspotpreview-na1.com", "hubspotpreview-eu1.com", "hubspotusercontent-na1.net", "hubspotusercontent-eu1.net",
	}, func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) })
}
