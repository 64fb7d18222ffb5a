package proxy

import (
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// filterCookies removes the gateway's own cookies from a request: the origin and its logs must not contain credentials
// of a session.
func (g *Gate) filterCookies(h http.Header) {
	lines := h["Cookie"]
	if len(lines) == 0 {
		return
	}
	var kept strings.Builder
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.TrimSpace(pair)
			name, _, _ := strings.Cut(pair, "=")
			if pair == "" || g.ownCookie(strings.TrimSpace(name)) {
				continue
			}
			if kept.Len() == 0 {
				kept.Grow(len(line))
			} else {
				kept.WriteString("; ")
			}
			kept.WriteString(pair)
		}
	}
	if kept.Len() == 0 {
		delete(h, "Cookie")
		return
	}
	lines[0] = kept.String()
	h["Cookie"] = lines[:1]
}

// ownCookie also compares ignoring case, as the origin may.
func (g *Gate) ownCookie(name string) bool {
	return g.deps.OwnsCookie(name) || g.deps.OwnsCookie(canonicalCookie(name))
}

// canonicalCookie returns a name in lower case, with its prefix as browsers spell it.
func canonicalCookie(name string) string {
	lower := strings.ToLower(name)
	if rest, ok := strings.CutPrefix(lower, "__host-"); ok {
		return "__Host-" + rest
	}
	if rest, ok := strings.CutPrefix(lower, "__secure-"); ok {
		return "__Secure-" + rest
	}
	return lower
}

// isOriginDomain reports whether a cookie's Domain is the origin's host or a parent of it, which browsers reject from
// the public host.
func (g *Gate) isOriginDomain(domain string) bool {
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	for _, host := range []string{inbound.HostOnly(g.origin.Host), inbound.HostOnly(g.host)} {
		if domain == host || (strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}

// mapCookies removes cookies with the gateway's names from a response (session fixation, CWE-384), and changes a Domain
// that is the origin's to the public host.
func (g *Gate) mapCookies(h http.Header, site *inbound.Site) {
	lines := h["Set-Cookie"]
	if len(lines) == 0 {
		return
	}
	kept := lines[:0:0]
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(name) == "" { // browsers send a nameless cookie as its value alone
			name, _, _ = strings.Cut(value, "=")
		}
		if !g.ownCookie(strings.TrimSpace(name)) {
			kept = append(kept, g.mapDomain(line, site))
		}
	}
	h["Set-Cookie"] = kept
}

func (g *Gate) mapDomain(line string, site *inbound.Site) string {
	parts := strings.Split(line, ";")
	for i, part := range parts {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		isDomain := strings.EqualFold(name, "Domain")
		if isDomain && g.isOriginDomain(strings.TrimSpace(value)) && !publicDomain(value, site) {
			parts[i] = " Domain=" + inbound.HostOnly(site.Host)
		}
	}
	return strings.Join(parts, ";")
}

// publicDomain reports whether the public host may set a Domain.
func publicDomain(value string, site *inbound.Site) bool {
	domain := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(value), "."))
	host := inbound.HostOnly(site.Host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}
