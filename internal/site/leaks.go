package site

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// leakFinder looks for other addresses that show what a rule protects.
type leakFinder struct {
	cfg       *config.Config
	rules     *rules.Set
	pages     []pageRow
	redirects []crm.Redirect
	known     map[string]bool // addresses of pages
	byID      map[string]pageRow
	related   map[string][]pageRow // by the id of the page that they translate
}

func newLeakFinder(cfg *config.Config, ruleSet *rules.Set, pages []pageRow, redirects []crm.Redirect) *leakFinder {
	f := &leakFinder{cfg: cfg, rules: ruleSet, pages: pages, redirects: redirects, known: map[string]bool{}, byID: map[string]pageRow{}, related: map[string][]pageRow{}}
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
		all = append(all, f.rows(p)...)
		all = append(all, f.listings(p, seen)...)
	}
	for _, r := range f.into() {
		if r.Style == http.StatusUseProxy && r.Decision == "public" {
			all = append(all, leak{r.To, "redirect", "the 305 redirect " + r.From + " shows it, and is public"})
		}
	}
	if first == "" {
		return all
	}
	for _, path := range []string{"/_hcms/search?term=x", f.cfg.Proxy.HubSpot.SearchPage} {
		if path != "" && f.open(withPath(first, path)) {
			page, _, _ := strings.Cut(path, "?")
			all = append(all, leak{page, "search", "the site search is public and shows text of protected pages; set proxy.hubspot.search to login_if_protected"})
		}
	}
	return all
}

// open tells whether somebody who is not logged in may see an address.
func (f *leakFinder) open(address string) bool {
	x, err := f.explain(address)
	return err == nil && x.Decision == "public"
}

func (f *leakFinder) explain(address string) (rules.Explanation, error) {
	return f.rules.Explain(f.cfg.Server.Sites(), rules.Question{Address: address})
}

// withPath replaces the path of a page's address.
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

// translations are pages of their own, with addresses of their own.
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
	for _, language := range setting.SortedNames(p.Translations) {
		address := withPath(p.Address, "/"+strings.TrimPrefix(p.Translations[language], "/"))
		if p.Translations[language] != p.Slug && (!f.known[address] || p.TranslationOf != "") && f.open(address) {
			all = append(all, leak{p.Address, "translation", "its translation " + address + " (" + language + ") is public"})
		}
	}
	return all
}

// rows of a dynamic page are pages below it that no list has.
func (f *leakFinder) rows(p pageRow) []leak {
	if !p.Dynamic || !f.open(withPath(p.Address, pathOf(p.Address)+"/a-row-of-its-table")) {
		return nil
	}
	return []leak{{p.Address, "dynamic", "the pages of its table, below " + pathOf(p.Address) + "/, are public; protect " + pathOf(p.Address) + "/**"}}
}

// listings are the blog's own page, which shows summaries, and its feed, which may hold whole posts.
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
	}{{"feed", []string{"/rss.xml"}}, {"listing", []string{"/", "/page/2", "/tag/a-tag", "/author/an-author", "/archive"}}} {
		for _, path := range l.paths {
			if address := withPath(p.Address, blog+path); f.open(address) {
				all = append(all, leak{p.Address, l.kind, address + " is public and shows protected posts"})
				break
			}
		}
	}
	return all
}

// redirectRow is a URL mapping that leads into what a rule protects, with what the rules say about where it begins.
type redirectRow struct {
	crm.Redirect
	Decision string `json:"decision"`
}

// into are the mappings into protected pages. Style 301 and 302 send the browser there, which meets the gateway again; with style 305
// HubSpot shows the destination's content under the address where the mapping begins.
func (f *leakFinder) into() []redirectRow {
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

// exampleOf is an address that a mapping matches: in patterns the variable part is replaced.
func exampleOf(address string) string {
	if i := strings.IndexAny(address, "*({["); i >= 0 {
		address = address[:i] + "x"
	}
	if !strings.Contains(address, "://") && !strings.HasPrefix(address, "/") {
		address = "/" + address
	}
	return address
}

const (
	probeGap  = 200 * time.Millisecond // between two pages
	probeTime = 10 * time.Second       // for one
)

// probeOrigin asks the origin for protected pages as anybody could: with the public host's name, and without the gateway.
func probeOrigin(ctx context.Context, cfg *config.Config, pages []pageRow, report func(string)) (all []leak) {
	client := dependency.NewClient(dependency.ClientConfig{Name: dependency.HubSpotSite, Timeout: probeTime, MaxBody: 4 << 20})
	done, open := 0, 0
	defer func() {
		report(fmt.Sprintf("%s asked at the origin without the gateway: %d can be read", setting.Count(done, "protected page"), open))
	}()
	for i := range pages {
		p := &pages[i]
		if !p.protected() || !p.Published {
			continue
		}
		var readable bool
		if p.Origin, readable = askAround(ctx, client, cfg, p.Address); readable {
			open++
			all = append(all, leak{p.Address, "origin", "EVERYBODY CAN READ IT AROUND THE GATEWAY: " + cfg.Proxy.Origin +
				" shows it to whoever sends X-HS-Public-Host; give the page a restriction in HubSpot as well"})
		}
		if done++; done%100 == 0 {
			report(fmt.Sprintf("%d pages probed", done))
		}
		select {
		case <-ctx.Done():
			return all
		case <-time.After(probeGap):
		}
	}
	return all
}

func askAround(ctx context.Context, client *http.Client, cfg *config.Config, address string) (answer string, readable bool) {
	host := cfg.Server.Sites()[0].Host
	u, err := url.Parse(address)
	if err == nil && u.Host != "" {
		host = u.Host
	}
	path := "/"
	if err == nil && u.Path != "" {
		path = u.EscapedPath()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(cfg.Proxy.Origin, "/")+path, nil)
	if err != nil {
		return err.Error(), false
	}
	req.Header.Set("X-Hs-Public-Host", host)
	if cfg.Proxy.OriginHost != "" {
		req.Host = cfg.Proxy.OriginHost
	}
	res, err := client.Do(req)
	if err != nil {
		return "no answer", false
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	// HubSpot's own password page is a 200 too; its form gives it away.
	locked := strings.Contains(string(text), "/_hcms/protected/auth") || strings.Contains(string(text), "/_hcms/mem/login")
	return res.Status, res.StatusCode == http.StatusOK && !locked
}
