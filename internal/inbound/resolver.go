package inbound

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Config configures a Resolver.
type Config struct {
	Sites        []*Site
	RedirectFrom map[string]*Site // lower-case host -> the site that it redirects to
	Trusted      []netip.Prefix
	// ForwardAuth is the path of the forward-auth endpoint, where trusted proxies name the host in X-Forwarded-Host;
	// "" if it is disabled.
	ForwardAuth string
	TLS         bool // this process terminates TLS, so all requests use https
}

// Resolver attaches Facts to requests.
type Resolver struct {
	cfg   Config
	sites map[string]*Site
	exact map[string]*Site // by the spelling that browsers send: the fast path
}

// New returns a Resolver.
func New(cfg Config) *Resolver {
	sites := make(map[string]*Site, len(cfg.Sites))
	for _, site := range cfg.Sites {
		sites[site.Host] = site
	}
	rs := &Resolver{cfg: cfg, sites: sites, exact: map[string]*Site{}}
	for host := range sites {
		f := &Facts{}
		if rs.site(host, f); f.Site != nil {
			rs.exact[host] = f.Site
		}
	}
	return rs
}

// ParseSite parses a public URL: scheme, host and optional port, nothing else.
func ParseSite(text string) (*Site, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(u.Path != "" && u.Path != "/") || u.Opaque != "" {
		return nil, false
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, false
	}
	return &Site{Scheme: u.Scheme, Host: hostKey(u.Host, u.Scheme)}, true
}

// hostKey returns a Host value in canonical form: lower case, without a trailing dot and without the default port.
func hostKey(host, scheme string) string {
	host = strings.ToLower(host)
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return strings.TrimSuffix(host, ".")
	}
	name = strings.TrimSuffix(name, ".")
	if (scheme == "https" && port == "443") || (scheme == "http" && port == "80") {
		if strings.Contains(name, ":") {
			return "[" + name + "]"
		}
		return name
	}
	return net.JoinHostPort(name, port)
}

// Resolve returns the request with its Facts in the context.
func (rs *Resolver) Resolve(r *http.Request) *http.Request {
	c := &factsContext{Context: r.Context()}
	f := &c.facts
	f.Peer = Address(r.RemoteAddr)
	f.Trusted = rs.trusts(f.Peer)
	f.Client = f.Peer
	hops := 0
	if chain := r.Header["X-Forwarded-For"]; f.Trusted {
		f.Client, hops = rs.walk(f.Peer, chain)
	} else if (f.Peer.IsPrivate() || f.Peer.IsLoopback()) && atClient(chain, 1) != "" {
		f.UntrustedForwarding = true
	}
	f.ID = rs.requestID(r, f.Trusted)
	if host, ok := rs.forwardAuth(r, f); ok {
		f.Site = FindSite(rs.cfg.Sites, host)
	}
	if f.Site == nil {
		if f.Site = rs.exact[r.Host]; f.Site == nil {
			rs.site(r.Host, f)
		}
	}
	f.Scheme = rs.scheme(r, f.Trusted, hops)
	return r.WithContext(c)
}

// Wrap returns a handler that resolves every request and passes it to next.
func (rs *Resolver) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, rs.Resolve(r)) })
}

func (rs *Resolver) trusts(a netip.Addr) bool {
	for _, prefix := range rs.cfg.Trusted {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// forwardAuth returns the host of a trusted proxy's forward-auth request. Traefik sends the request to hubgate's
// internal name, so that the public host, which the session belongs to, is only in X-Forwarded-Host.
func (rs *Resolver) forwardAuth(r *http.Request, f *Facts) (host string, ok bool) {
	if rs.cfg.ForwardAuth == "" || !f.Trusted || r.URL.Path != rs.cfg.ForwardAuth {
		return "", false
	}
	hosts := r.Header["X-Forwarded-Host"]
	if len(hosts) != 1 {
		return "", false
	}
	return hosts[0], true
}

// FindSite returns the site that a Host value names, in any spelling, or nil.
func FindSite(sites []*Site, host string) *Site {
	for _, site := range sites {
		if host != "" && hostKey(host, site.Scheme) == site.Host {
			return site
		}
	}
	return nil
}

func (rs *Resolver) site(host string, f *Facts) {
	for _, scheme := range []string{"https", "http"} {
		key := hostKey(host, scheme)
		if site := rs.sites[key]; site != nil && (site.Scheme == scheme || key == hostKey(host, "")) {
			f.Site = site
			return
		}
		if site := rs.cfg.RedirectFrom[key]; site != nil {
			f.RedirectTo = site
			return
		}
	}
}

// scheme returns the scheme that the visitor used: that of the connection if TLS ends here or the peer is not trusted,
// otherwise the one reported by the trusted hop next to the visitor, or "" if it reports none.
func (rs *Resolver) scheme(r *http.Request, trusted bool, hops int) string {
	if r.TLS != nil || rs.cfg.TLS {
		return "https"
	}
	if !trusted {
		return "http"
	}
	switch strings.ToLower(atClient(r.Header["X-Forwarded-Proto"], hops)) {
	case "https", "wss":
		return "https"
	case "http", "ws":
		return "http"
	}
	return ""
}

const maxRequestID = 128

// requestID returns a trusted proxy's id if it is short and has only harmless characters (log injection, CWE-117),
// otherwise a new one. It ignores the header if there are two, because one of them may be the visitor's.
func (rs *Resolver) requestID(r *http.Request, trusted bool) string {
	ids := r.Header["X-Request-Id"]
	if trusted && len(ids) == 1 && ids[0] != "" && len(ids[0]) <= maxRequestID && isHarmless(ids[0]) {
		return ids[0]
	}
	return newID()
}

// newID returns 26 characters, like crypto/rand.Text. Request ids grant no access, so they need not be unpredictable;
// math/rand is much faster.
func newID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for half := range 2 {
		bits := rand.Uint64()
		for i := range 13 {
			id[half*13+i] = alphabet[bits%32]
			bits >>= 5
		}
	}
	return string(id[:])
}

func isHarmless(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' ||
			c == ':' || c == '=' || c == '/' || c == '+') {
			return false
		}
	}
	return true
}
