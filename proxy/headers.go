package proxy

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// rewriteRequest makes a request's headers fit for the origin: what the client may not claim is removed, then what
// HubSpot must know is set. httputil has removed hop-by-hop headers and what Connection names before, so a client
// cannot remove ours (HS-07).
func (g *Gate) rewriteRequest(h http.Header, in *http.Request, p *exchange) {
	for name := range h {
		if isReserved(name) {
			delete(h, name)
		}
	}
	g.filterCookies(h)
	if p.protected && !g.keepsValidators(p.path) {
		// The origin's validators would let it answer "not modified" for what another visitor's browser kept (CA-03).
		for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range"} {
			delete(h, name)
		}
	}
	delete(h, "Expect") // was answered here; the origin would answer it a second time
	facts := inbound.Of(in)
	values := []string{facts.Site.Host, "true", facts.Site.Scheme, facts.ID, ""}
	set := func(name string, i int) { h[name] = values[i : i+1 : i+1] } // one allocation for all of them
	if facts.Client.IsValid() {
		values[4] = facts.Client.String()
		for _, name := range g.clientHeaders {
			set(name, 4)
		}
	}
	set("X-Hs-Public-Host", 0)
	set("X-Hubspot-Trust-Forwarded-For", 1)
	set("X-Forwarded-Proto", 2)
	set("X-Forwarded-Host", 0)
	set("X-Request-Id", 3)
	if facts.Trusted {
		keepTrace(h, in.Header)
	}
}

// keepTrace lets a trace pass that a trusted proxy began. A stranger's could tie its requests to other people's.
func keepTrace(h, in http.Header) {
	if len(in["Traceparent"]) != 1 {
		return
	}
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if values := in[name]; len(values) > 0 {
			h[name] = values
		}
	}
}

// filterCookies removes the gateway's own cookies: the origin and its logs must not hold what opens a session (HS-12).
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

// ownCookie compares without regard to case as well: the origin's language may.
func (g *Gate) ownCookie(name string) bool {
	return g.deps.OwnsCookie(name) || g.deps.OwnsCookie(canonicalCookie(name))
}

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

// rewriteResponse makes the origin's answer fit for the visitor: its own host name becomes the public one, it cannot
// set our cookies, and what needs a login is kept by nobody.
func (g *Gate) rewriteResponse(h http.Header, site *inbound.Site, p *exchange) {
	g.mapLocation(h, "Location", site)
	g.mapLocation(h, "Content-Location", site)
	g.mapCookies(h, site)
	delete(h, "Alt-Svc") // offers HubSpot's other ways in, which do not lead through here
	if p.protected {
		g.forbidCaching(h, p.path)
	}
}

func (g *Gate) mapLocation(h http.Header, name string, site *inbound.Site) {
	location := h.Get(name)
	if location == "" {
		return
	}
	u, err := url.Parse(location)
	if err != nil || !g.isOrigin(u.Host) {
		return
	}
	u.Scheme, u.Host, u.User = site.Scheme, site.Host, nil
	h.Set(name, u.String())
}

// isOrigin compares with the port: another service of the same machine is not the origin.
func (g *Gate) isOrigin(host string) bool {
	name := withoutDefaultPort(host)
	return name != "" && (name == withoutDefaultPort(g.origin.Host) || name == withoutDefaultPort(g.host))
}

func withoutDefaultPort(host string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ":443"), ":80")
}

func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// isOriginDomain tells a cookie's Domain that no browser takes from the public host: the origin's name or a parent of
// it.
func (g *Gate) isOriginDomain(domain string) bool {
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	for _, host := range []string{hostOnly(g.origin.Host), hostOnly(g.host)} {
		if domain == host || (strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)) {
			return true
		}
	}
	return false
}

// mapCookies drops the origin's cookies of our names (HS-13) and the Domain attribute where it names the origin.
func (g *Gate) mapCookies(h http.Header, site *inbound.Site) {
	lines := h["Set-Cookie"]
	if len(lines) == 0 {
		return
	}
	kept := lines[:0:0]
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(name) == "" { // a nameless cookie comes back as its value alone, which may look like one of ours
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
		if strings.EqualFold(name, "Domain") && g.isOriginDomain(strings.TrimSpace(value)) && !publicDomain(value, site) {
			parts[i] = " Domain=" + hostOnly(site.Host)
		}
	}
	return strings.Join(parts, ";")
}

// publicDomain tells a Domain that the public host may set by itself.
func publicDomain(value string, site *inbound.Site) bool {
	domain := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(value), "."))
	host := hostOnly(site.Host)
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// forbidCaching keeps a protected answer out of every cache, the visitor's own included: after a logout the back button
// asks again.
func (g *Gate) forbidCaching(h http.Header, path urlpath.Path) {
	for name := range h {
		if hasSuffixFold(name, "-cache-control") || hasPrefixFold(name, "surrogate-") {
			delete(h, name)
		}
	}
	for _, name := range []string{"Cache-Tag", "Edge-Cache-Tag", "Expires", "Age", "Pragma"} {
		delete(h, name)
	}
	if g.keepsValidators(path) && cacheableFile(h.Get("Content-Type")) {
		h.Set("Cache-Control", "private, no-cache")
		return
	}
	h.Set("Cache-Control", "private, no-store")
	delete(h, "Etag")
	delete(h, "Last-Modified")
}

func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

func hasSuffixFold(name, suffix string) bool {
	return len(name) >= len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
}

// keepsValidators: with files_cache private a browser may keep a file, and asks the gate at every use whether it still
// may.
func (g *Gate) keepsValidators(path urlpath.Path) bool {
	if g.cfg.FilesCache != "private" {
		return false
	}
	_, files := path.Under("/hubfs")
	_, resized := path.Under("/hs-fs")
	return files || resized
}

func cacheableFile(contentType string) bool {
	t := strings.ToLower(contentType)
	return !strings.Contains(t, "html") && !strings.Contains(t, "json")
}
