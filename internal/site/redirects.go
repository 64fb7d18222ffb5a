package site

import (
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// redirectRow is a URL redirect of HubSpot to a protected page, with the decision about its own address.
type redirectRow struct {
	crm.Redirect
	Decision string `json:"decision"`
}

// redirectsToProtected returns the redirects to protected pages. Style 301 and 302 send the browser there, through the
// gateway again. With style 305 HubSpot serves the destination's content at the redirect's own address.
func (f *leakFinder) redirectsToProtected() []redirectRow {
	all := []redirectRow{}
	for _, r := range f.redirects {
		to, err := f.explain(exampleOf(r.To))
		if err != nil || to.Decision == "public" {
			continue
		}
		row := redirectRow{Redirect: r, Decision: "elsewhere"}
		if from, err := f.explain(exampleOf(r.From)); err == nil {
			row.Decision = from.Decision
		}
		all = append(all, row)
	}
	return all
}

// exampleOf returns an address that a redirect matches. It replaces the variable part of a pattern.
func exampleOf(address string) string {
	if i := strings.IndexAny(address, "*({["); i >= 0 {
		address = address[:i] + "x"
	}
	if !strings.Contains(address, "://") && !strings.HasPrefix(address, "/") {
		address = "/" + address
	}
	return address
}
