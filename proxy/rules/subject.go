package rules

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Subject is a URL that is judged without a request.
type Subject struct {
	Host   string
	Path   urlpath.Path
	Params urlpath.PreviewParams
}

// ParseSubject parses what an operator writes: a path of the first public host, with an optional query, or a full URL
// of any public host. A *urlpath.Error means that the gateway would refuse the request.
func ParseSubject(text string, sites []*inbound.Site) (Subject, error) {
	if !strings.HasPrefix(text, "/") && !strings.Contains(text, "://") {
		return Subject{}, fmt.Errorf("%s is not an address; write a path with a leading /, or a full URL",
			setting.Quote(text))
	}
	host, rest := sites[0].Host, text
	if i := strings.Index(text, "://"); i >= 0 && !strings.HasPrefix(text, "/") {
		authority := hostPart(text[i+3:])
		var err error
		if host, err = publicHost(text, text[:i+3]+authority, sites); err != nil {
			return Subject{}, err
		}
		if rest = text[i+3+len(authority):]; rest == "" || rest[0] != '/' {
			rest = "/" + rest
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	query, _, _ = strings.Cut(query, "#")
	p, err := urlpath.Parse(strings.ReplaceAll(path, " ", "%20"))
	return Subject{Host: host, Path: p, Params: urlpath.ParsePreviewParams(query)}, err
}

// publicHost returns the public host that an origin, the beginning of a URL, names.
func publicHost(text, origin string, sites []*inbound.Site) (string, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return "", fmt.Errorf("%s is not a URL", setting.Quote(text))
	}
	if site, ok := inbound.ParseSite(u.Scheme + "://" + u.Host); ok {
		for _, s := range sites {
			if s.Host == site.Host {
				return s.Host, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not a public host", setting.Quote(u.Host))
}

func hostPart(s string) string {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i]
	}
	return s
}
