package fakesite

import (
	"cmp"
	"net/http"
	"slices"
)

// Page is a page of the site as HubSpot's content API lists it.
type Page struct {
	Path  string
	Title string
	Kind  string // site | landing | post
}

// Pages returns all pages of the site by path. A list of the account's pages must have the same ones.
func Pages() []Page {
	var all []Page
	for path, c := range contents() {
		all = append(all, Page{Path: path, Title: c.Title, Kind: cmp.Or(c.Kind, "site")})
	}
	slices.SortFunc(all, func(a, b Page) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// Redirect is a URL redirect of the site.
type Redirect struct {
	From, To string
	Status   int
}

// Redirects returns all URL redirects of the site.
func Redirects() []Redirect {
	return []Redirect{
		{"/hs-login", "/members/", http.StatusFound},
		{oldPricing, "/pricing", http.StatusMovedPermanently},
		{"/prices", "/pricing", http.StatusMovedPermanently},
	}
}

// oldPricing redirects to the origin's own host name, as HubSpot sometimes does.
const oldPricing = "/old-pricing"

// redirect sends the browser to the destination of a redirect.
func (s *site) redirect(w http.ResponseWriter, r *http.Request, path string) bool {
	for _, known := range Redirects() {
		if known.From != path {
			continue
		}
		to := known.To
		if path == oldPricing {
			scheme := "http"
			if r.TLS != nil {
				scheme = "https"
			}
			to = scheme + "://" + r.Host + to
		}
		w.Header().Set("Location", to)
		w.WriteHeader(known.Status)
		return true
	}
	return false
}
