package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// rewriteRequest rewrites a request's headers for the origin: it removes reserved ones, then sets what HubSpot needs.
// httputil has removed hop-by-hop headers and those that Connection names before, so that a client cannot remove the
// gateway's own (RFC 9110, section 7.6.1).
func (g *Gate) rewriteRequest(h http.Header, in *http.Request, p *exchange) {
	for name := range h {
		if isReserved(name) {
			delete(h, name)
		}
	}
	g.filterCookies(h)
	if p.protected && !g.keepsValidators(p.path) {
		// With them the origin would respond "not modified" to what another user's browser has kept.
		for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range"} {
			delete(h, name)
		}
	}
	delete(h, "Expect") // net/http has responded to it
	facts := inbound.Of(in)
	values := []string{facts.Site.Host, "true", facts.Site.Scheme, facts.ID, ""}
	set := func(name string, i int) { h[name] = values[i : i+1 : i+1] } // one allocation for all
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

// keepTrace keeps a trace that a trusted proxy began. A trace of a client could link requests of other visitors.
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

// rewriteResponse rewrites a response's headers for the visitor: the origin's host becomes the public one, cookies of
// the gateway cannot be set, and a protected response is not cached.
func (g *Gate) rewriteResponse(h http.Header, site *inbound.Site, p *exchange) {
	g.mapLocation(h, "Location", site)
	g.mapLocation(h, "Content-Location", site)
	g.mapCookies(h, site)
	delete(h, "Alt-Svc") // it would lead around the gateway
	if p.protected {
		g.forbidCaching(h, p.path)
	}
}

// mapLocation changes a URL of the origin to one of the public host.
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

// isOrigin reports whether a host, with its port, is the origin's. Another port is another service.
func (g *Gate) isOrigin(host string) bool {
	name := withoutDefaultPort(host)
	return name != "" && (name == withoutDefaultPort(g.origin.Host) || name == withoutDefaultPort(g.host))
}

func withoutDefaultPort(host string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ":443"), ":80")
}

// forbidCaching keeps a protected response out of every cache, including the browser's: after a logout the back button
// asks the gateway again.
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

// keepsValidators reports whether browsers may keep a file and revalidate it at every use (files_cache: private).
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
