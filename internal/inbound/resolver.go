package inbound

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Config is what a Resolver must know.
type Config struct {
	Sites        []*Site
	RedirectFrom map[string]*Site // lower-case host -> the public site it is another name of
	Trusted      []netip.Prefix
	TLS          bool // this process ends TLS itself: whatever reaches it came by https
}

// Resolver attaches Facts to requests.
type Resolver struct {
	cfg   Config
	sites map[string]*Site
	exact map[string]*Site // by the spelling that browsers send; others take the long way
}

// New makes a Resolver.
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

// ParseSite reads a public URL: scheme, host and optional port, nothing else.
func ParseSite(text string) (*Site, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") || u.Opaque != "" {
		return nil, false
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, false
	}
	return &Site{Scheme: u.Scheme, Host: hostKey(u.Host, u.Scheme)}, true
}

// hostKey brings a Host value to its one spelling: lower case, no trailing dot, no default port of the scheme.
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
	c := &carrier{Context: r.Context()}
	f := &c.facts
	f.Peer = Address(r.RemoteAddr)
	f.Trusted = rs.trusts(f.Peer)
	f.Client = f.Peer
	if f.Trusted {
		f.Client = rs.client(f.Peer, r.Header.Values("X-Forwarded-For"))
	} else if (f.Peer.IsPrivate() || f.Peer.IsLoopback()) && r.Header.Get("X-Forwarded-For") != "" {
		f.UntrustedForwarding = true
	}
	f.ID = rs.requestID(r, f.Trusted)
	if f.Site = rs.exact[r.Host]; f.Site == nil {
		rs.site(r.Host, f)
	}
	f.Scheme = rs.scheme(r, f)
	return r.WithContext(c)
}

// Wrap resolves every request before next sees it.
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

// client walks X-Forwarded-For from the right while the hops are trusted: the first that is not is the visitor. Anything further
// left was written by whoever sent the request (header spoofing, HS-01). An entry that is no address ends the walk.
func (rs *Resolver) client(peer netip.Addr, values []string) netip.Addr {
	hops := strings.Split(strings.Join(values, ","), ",")
	client := peer
	for i := len(hops) - 1; i >= 0; i-- {
		hop := Address(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		client = hop
		if !rs.trusts(hop) {
			break
		}
	}
	return client
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

// scheme is what the visitor used: the connection's own when we end TLS, else what the trusted proxy says ("" when it does not say).
// Without any proxy in front (nobody trusted) the connection is all there is.
func (rs *Resolver) scheme(r *http.Request, f *Facts) string {
	if r.TLS != nil || rs.cfg.TLS {
		return "https"
	}
	if !f.Trusted {
		return "http"
	}
	values := r.Header.Values("X-Forwarded-Proto")
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	switch strings.ToLower(strings.TrimSpace(last)) {
	case "https", "wss":
		return "https"
	case "http", "ws":
		return "http"
	}
	return ""
}

// Address parses an address with or without a port; IPv4 in IPv6 clothes is IPv4, so that one person has one spelling.
func Address(text string) netip.Addr {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

const maxRequestID = 128

// requestID keeps a trusted proxy's id when it is short and of harmless characters (log forging, XS-06), else makes one.
func (rs *Resolver) requestID(r *http.Request, trusted bool) string {
	if id := r.Header.Get("X-Request-Id"); trusted && id != "" && len(id) <= maxRequestID && tame(id) {
		return id
	}
	return newID()
}

// newID makes 26 characters like crypto/rand's Text. They name a request and open nothing, so they need not be secret; asking the system
// for bytes would cost each request more than all its other facts.
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

func tame(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == ':' || c == '=' || c == '/' || c == '+') {
			return false
		}
	}
	return true
}
