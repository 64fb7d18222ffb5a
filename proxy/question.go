package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// ForwardAuthHeaders is the value of auth.forward_auth with which the question is in X-Forwarded-*; otherwise it is
// in the query.
const ForwardAuthHeaders = "headers"

// question is what a server asks /oauth2/auth: about a path, or only whether the visitor is logged in, and in which
// groups and lists.
type question struct {
	host, method string
	path         *urlpath.Path
	params       urlpath.PreviewParams
	groups       []string
	lists        []string // any of them, in addition to any of the groups
	// back is where a login leads back to. It has no influence on the decision.
	back string
}

// Why a question is refused, for the log.
var (
	errAskedByUntrusted = errors.New("the question comes from an address that is not in server.trusted_proxies")
	errForwardedRequest = errors.New("a header names a request, and its sender is not in server.trusted_proxies")
	errAskedTwice       = errors.New("a second question is in the query or in another header; see auth.forward_auth")
	errNoForwardedURI   = errors.New("with auth.forward_auth: headers, X-Forwarded-Uri is required once")
	errParameters       = errors.New("the query may hold groups, lists and path, each once and encoded, and nothing else")
	errUnknownList      = errors.New("lists names a list that is not in hubspot.access.lists")
	errForwardedHost    = errors.New("X-Forwarded-Host is not one of server.public_urls")
	errForwardedURI     = errors.New("X-Forwarded-Uri is not a path with an optional query")
)

// refusalLog limits the log to one line per cause and minute: a mistake of the operator must be visible without the
// access log, and a visitor who provokes it must not fill the log.
type refusalLog struct {
	mu   sync.Mutex
	last map[error]time.Time
}

// due reports whether a cause must be logged. A path that a visitor may have sent is not the operator's mistake.
func (rq *refusalLog) due(cause error, now time.Time) bool {
	if bad := (*urlpath.Error)(nil); errors.As(cause, &bad) {
		return false
	}
	rq.mu.Lock()
	defer rq.mu.Unlock()
	if last, logged := rq.last[cause]; logged && now.Sub(last) < time.Minute {
		return false
	}
	if rq.last == nil {
		rq.last = map[error]time.Time{}
	}
	rq.last[cause] = now
	return true
}

// question parses the question of a request. An ambiguous question, and one of a client that may not ask it, is
// refused: if it were understood in another way than meant, a page would be opened (confused deputy, CWE-441).
func (g *Gate) question(r *http.Request) (question, error) {
	q := question{host: inbound.Of(r).Site.Host, method: http.MethodGet}
	if g.deps.ForwardAuth == ForwardAuthHeaders {
		return g.questionInHeaders(r, q)
	}
	if !inbound.Of(r).Trusted && namesRequest(r.Header, "") {
		return q, errForwardedRequest
	}
	return questionInQuery(r, q)
}

// questionInQuery parses the parameters alone. X-Forwarded-* headers that a trusted proxy forwards may be the
// visitor's.
func questionInQuery(r *http.Request, q question) (question, error) {
	values, ok := parameters(r.URL.RawQuery)
	if !ok {
		return q, errParameters
	}
	for name, words := range map[string]*[]string{"groups": &q.groups, "lists": &q.lists} {
		if !values.Has(name) {
			continue
		}
		if *words = strings.Split(values.Get(name), ","); slices.Contains(*words, "") {
			return q, errParameters
		}
	}
	if values.Has("path") {
		p, err := urlpath.Parse(values.Get("path"))
		if err != nil {
			return q, err
		}
		q.path, q.back = &p, p.Escaped()
	}
	if back := r.Header["X-Auth-Request-Redirect"]; inbound.Of(r).Trusted && len(back) == 1 && back[0] != "" {
		q.back = back[0]
	}
	return q, nil
}

// parameters parses a query that has each parameter at most once, and nothing that may be part of a path: a server that
// inserts a path without encoding it must fail, not ask about another page.
func parameters(raw string) (url.Values, bool) {
	if raw == "" {
		return nil, true
	}
	if strings.ContainsAny(raw, ";?#") || slices.Contains(strings.Split(raw, "&"), "") {
		return nil, false
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, false
	}
	for name, list := range values {
		if len(list) != 1 || (name != "groups" && name != "lists" && name != "path") {
			return nil, false
		}
	}
	return values, true
}

// questionInHeaders parses X-Forwarded-Uri, -Method and -Host as Traefik and Caddy set them. A parameter would be a
// second question, and so would a header of another convention, or in another spelling, that such a proxy forwards from
// the visitor.
func (g *Gate) questionInHeaders(r *http.Request, q question) (question, error) {
	uri, method, host := r.Header["X-Forwarded-Uri"], r.Header["X-Forwarded-Method"], r.Header["X-Forwarded-Host"]
	switch {
	case !inbound.Of(r).Trusted:
		return q, errAskedByUntrusted
	case len(uri) != 1:
		return q, errNoForwardedURI
	case r.URL.RawQuery != "" || len(method) > 1 || len(host) > 1 || namesRequest(r.Header, ForwardAuthHeaders):
		return q, errAskedTwice
	case len(host) == 1 && inbound.FindSite(g.deps.Sites, host[0]) != inbound.Of(r).Site:
		return q, errForwardedHost
	}
	if joined(uri[0]) {
		return q, errNoForwardedURI
	}
	raw, query, _ := strings.Cut(uri[0], "?")
	p, err := urlpath.Parse(raw)
	switch {
	case err != nil:
		return q, err
	case strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }):
		return q, errForwardedURI
	}
	q.path, q.params, q.back = &p, urlpath.ParsePreviewParams(query), uri[0]
	if len(method) == 1 {
		q.method = method[0]
	}
	return q, nil
}

// joined reports whether a header may be two lines that a proxy has joined (RFC 9110, section 5.3): either may be
// meant.
func joined(value string) bool {
	_, rest, found := strings.Cut(value, ",")
	for ; found; _, rest, found = strings.Cut(rest, ",") {
		if strings.HasPrefix(strings.TrimLeft(rest, " \t"), "/") {
			return true
		}
	}
	return false
}

// namesRequest reports whether a header names a page, host or method, in any spelling. In the mode headers the three
// that are the question do not count, nor does Forwarded, which proxies on the way may add.
func namesRequest(h http.Header, mode string) bool {
	for name := range h {
		if mode == ForwardAuthHeaders {
			switch name {
			case "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Host", "Forwarded":
				continue
			}
		}
		lower := strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
		if lower == "x-url" || lower == "x-uri" || lower == "x-path" {
			return true
		}
		for _, prefix := range requestNames {
			if strings.HasPrefix(lower, prefix) {
				return true
			}
		}
	}
	return false
}

// requestNames are prefixes of headers with which servers name the requested page, host or method.
var requestNames = []string{
	"x-forwarded-uri", "x-forwarded-url", "x-forwarded-path", "x-forwarded-prefix", "x-forwarded-method",
	"x-forwarded-host",
	"x-original-ur", "x-original-method", "x-original-host", "x-rewrite-ur",
	"x-original-path", "x-original-request-ur", "x-envoy-original-path", "x-envoy-original-host", "x-replaced-path",
	"x-request-ur", "x-request-path", "x-request-method", "x-request-host", "x-http-method", "x-method-override",
	"x-http-host-override", "x-host", "forwarded",
}
