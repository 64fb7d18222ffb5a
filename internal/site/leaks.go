package site

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/proxy/rules"
)

// leakFinder finds public addresses that show the content of protected pages.
type leakFinder struct {
	cfg       *config.Config
	rules     *rules.Set
	pages     []pageRow
	redirects []crm.Redirect
	known     map[string]bool // addresses of all pages
	byID      map[string]pageRow
	related   map[string][]pageRow // translations, by the ID of the original page
}

func newLeakFinder(cfg *config.Config, ruleSet *rules.Set, pages []pageRow, redirects []crm.Redirect) *leakFinder {
	f := &leakFinder{
		cfg: cfg, rules: ruleSet, pages: pages, redirects: redirects,
		known: map[string]bool{}, byID: map[string]pageRow{}, related: map[string][]pageRow{},
	}
	for _, p := range pages {
		f.known[p.Address], f.byID[p.ID] = true, p
		if p.TranslationOf != "" {
			f.related[p.TranslationOf] = append(f.related[p.TranslationOf], p)
		}
	}
	return f
}

func (f *leakFinder) all() []leak {
	var all []leak
	first := ""
	seen := map[string]bool{}
	for _, p := range f.pages {
		if !p.protected() || !p.Published {
			continue
		}
		if first == "" {
			first = p.Address
		}
		all = append(all, f.translations(p)...)
		all = append(all, f.dynamicPages(p)...)
		all = append(all, f.listings(p, seen)...)
	}
	for _, r := range f.redirectsToProtected() {
		if r.Style == http.StatusUseProxy && r.Decision == "public" {
			all = append(all, leak{r.To, "redirect", "the 305 redirect " + r.From + " shows it, and is public"})
		}
	}
	if first == "" {
		return all
	}
	for _, path := range []string{"/_hcms/search?term=x", f.cfg.Proxy.HubSpot.SearchPage} {
		if path != "" && f.isPublic(withPath(first, path)) {
			page, _, _ := strings.Cut(path, "?")
			all = append(all, leak{page, "search", "the site search is public and shows text of protected pages; " +
				"set proxy.hubspot.search: login_if_protected"})
		}
	}
	return all
}

// isPublic reports whether an address can be read without a login.
func (f *leakFinder) isPublic(address string) bool {
	x, err := f.explain(address)
	return err == nil && x.Decision == "public"
}

func (f *leakFinder) explain(address string) (rules.Explanation, error) {
	return f.rules.Explain(f.cfg.Server.Sites(), rules.Question{Address: address})
}

// withPath returns a page's address with another path.
func withPath(address, path string) string {
	u, err := url.Parse(address)
	if err != nil {
		return path
	}
	path, query, _ := strings.Cut(path, "?")
	u.Path, u.RawPath, u.RawQuery, u.Fragment = path, "", query, ""
	return u.String()
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	return strings.TrimSuffix(u.Path, "/")
}

// translations returns the public translations of a protected page. They are separate pages with their own addresses.
func (f *leakFinder) translations(p pageRow) (all []leak) {
	others := f.related[p.ID]
	if p.TranslationOf != "" {
		others = append(slices.Clone(f.related[p.TranslationOf]), f.byID[p.TranslationOf])
	}
	for _, other := range others {
		if other.ID != p.ID && other.Published && other.Decision == "public" {
			all = append(all, leak{p.Address, "translation", "its translation " + other.Address + " is public"})
		}
	}
	for _, language := range slices.Sorted(maps.Keys(p.Translations)) {
		address := withPath(p.Address, "/"+strings.TrimPrefix(p.Translations[language], "/"))
		if p.Translations[language] != p.Slug && (!f.known[address] || p.TranslationOf != "") && f.isPublic(address) {
			all = append(all, leak{p.Address, "translation", "its translation " + address + " (" + language + ") is public"})
		}
	}
	return all
}

// dynamicPages returns a leak if the rows of a dynamic page's table are public. HubSpot does not list these pages.
func (f *leakFinder) dynamicPages(p pageRow) []leak {
	if !p.Dynamic || !f.isPublic(withPath(p.Address, pathOf(p.Address)+"/a-row-of-its-table")) {
		return nil
	}
	path := pathOf(p.Address)
	text := "the pages of its table, below " + path + "/, are public; protect " + path + "/**"
	return []leak{{p.Address, "dynamic", text}}
}

// listings returns the public listings of a protected post's blog, which show summaries, and its feed, which may
// contain whole posts.
func (f *leakFinder) listings(p pageRow, seen map[string]bool) (all []leak) {
	at := strings.LastIndex(pathOf(p.Address), "/")
	if p.Kind != "post" || at < 0 {
		return nil
	}
	blog := pathOf(p.Address)[:at]
	if seen[withPath(p.Address, blog+"/")] {
		return nil
	}
	seen[withPath(p.Address, blog+"/")] = true
	for _, l := range []struct {
		kind  string
		paths []string
	}{
		{"feed", []string{"/rss.xml"}},
		{"listing", []string{"/", "/page/2", "/tag/a-tag", "/author/an-author", "/archive"}},
	} {
		for _, path := range l.paths {
			if address := withPath(p.Address, blog+path); f.isPublic(address) {
				all = append(all, leak{p.Address, l.kind, address + " is public and shows protected posts"})
				break
			}
		}
	}
	return all
}
