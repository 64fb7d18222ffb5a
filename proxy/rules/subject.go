package rules

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Subject is one URL that is judged outside a request.
type Subject struct {
	Host   string
	Path   urlpath.Path
	Params urlpath.PreviewParams
}

// ParseSubject reads a URL as operators write it: a path, with a query perhaps, of the first public host, or a full URL of a public
// host. A *PathError means that the gateway would refuse the request.
func ParseSubject(text string, sites []*inbound.Site) (Subject, error) {
	host := sites[0].Host
	rest := text
	if i := strings.Index(text, "://"); i >= 0 && !strings.HasPrefix(text, "/") {
		u, err := url.Parse(text[:i+3] + hostPart(text[i+3:]))
		if err != nil {
			return Subject{}, fmt.Errorf("%s is not a URL", setting.Quote(text))
		}
		site, ok := inbound.ParseSite(u.Scheme + "://" + u.Host)
		if host = ""; ok {
			for _, s := range sites {
				if s.Host == site.Host {
					host = s.Host
				}
			}
		}
		if host == "" {
			return Subject{}, fmt.Errorf("%s is not a public host", setting.Quote(u.Host))
		}
		if rest = text[i+3+len(hostPart(text[i+3:])):]; rest == "" || rest[0] != '/' {
			rest = "/" + rest
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	query, _, _ = strings.Cut(query, "#")
	p, err := urlpath.Parse(strings.ReplaceAll(path, " ", "%20"))
	return Subject{Host: host, Path: p, Params: urlpath.ParsePreviewParams(query)}, err
}

func hostPart(s string) string {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i]
	}
	return s
}
