package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/proxy"
)

// leakFinder looks for other addresses that show what a rule protects.
type leakFinder struct {
	cfg       *Config
	rules     *proxy.Rules
	pages     []pageRow
	redirects []hubspot.Redirect
	known     map[string]bool      // addresses of pages
	related   map[string][]pageRow // by the id of the page that they translate
}

func newLeakFinder(cfg *Config, rules *proxy.Rules, pages []pageRow, redirects []hubspot.Redirect) *leakFinder {
	f := &leakFinder{cfg, rules, pages, redirects, map[string]bool{}, map[string][]pageRow{}}
	for _, p := range pages {
		f.known[p.Address] = true
		if p.TranslationOf != "" {
			f.related[p.TranslationOf] = append(f.related[p.TranslationOf], p)
		}
	}
	return f
}

func (f *leakFinder) all() []leak {
	var all []leak
	protected := 0
	seen := map[string]bool{}
	for _, p := range f.pages {
		if !p.protected() || !p.Published {
			continue
		}
		protected++
		all = append(all, f.translations(p)...)
		all = append(all, f.rows(p)...)
		all = append(all, f.listings(p, seen)...)
	}
	all = append(all, f.proxied()...)
	if protected > 0 && f.cfg.Proxy.HubSpot.Search == "public" {
		all = append(all, leak{"/_hcms/search", "search", "the site search shows text of protected pages; set proxy.hubspot.search to login_if_protected"})
	}
	return all
}

// open tells whether somebody who is not logged in may see an address.
func (f *leakFinder) open(address string) bool {
	x, err := f.cfg.explain(f.rules, address, "GET", nil)
	return err == nil && x.Decision == "public"
}

// withPath replaces the path of a page's address.
func withPath(address, path string) string {
	u, err := url.Parse(address)
	if err != nil {
		return path
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = path, "", "", ""
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
	for _, other := range f.related[p.ID] {
		if other.Published && other.Decision == "public" {
			all = append(all, leak{p.Address, "translation", "its translation " + other.Address + " is public"})
		}
	}
	for _, language := range sortedNames(p.Translations) {
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
	for kind, path := range map[string]string{"feed": blog + "/rss.xml", "listing": blog + "/"} {
		address := withPath(p.Address, path)
		if !seen[address] && f.open(address) {
			all = append(all, leak{p.Address, kind, address + " is public and shows protected posts"})
		}
		seen[address] = true
	}
	slices.SortFunc(all, func(a, b leak) int { return strings.Compare(a.Kind, b.Kind) })
	return all
}

// proxied are redirects of style 305: HubSpot shows the destination's content under another address.
func (f *leakFinder) proxied() (all []leak) {
	for _, r := range f.redirects {
		if r.Style != http.StatusUseProxy {
			continue
		}
		x, err := f.cfg.explain(f.rules, r.To, "GET", nil)
		if err == nil && x.Decision != "public" && f.open(r.From) {
			all = append(all, leak{r.To, "redirect", "the 305 redirect " + r.From + " shows it, and is public"})
		}
	}
	return all
}

const probeGap = 200 * time.Millisecond

// probeOrigin asks the origin for protected pages as anybody could: with the public host's name, and without the gateway.
func probeOrigin(e *env, cfg *Config, pages []pageRow) (all []leak) {
	client := dependency.NewClient(dependency.ClientConfig{Name: dependency.HubSpotSite, Timeout: doctorTime, MaxBody: 4 << 20})
	done := 0
	for i := range pages {
		p := &pages[i]
		if !p.protected() || !p.Published {
			continue
		}
		var readable bool
		if p.Origin, readable = askAround(e.ctx, client, cfg, p.Address); readable {
			all = append(all, leak{p.Address, "origin", "EVERYBODY CAN READ IT AROUND THE GATEWAY: " + cfg.Proxy.Origin +
				" shows it to whoever sends X-HS-Public-Host; give the page a restriction in HubSpot as well"})
		}
		if done++; done%100 == 0 {
			fmt.Fprintf(e.stderr, "%d pages probed\n", done)
		}
		select {
		case <-e.ctx.Done():
			return all
		case <-time.After(probeGap):
		}
	}
	return all
}

func askAround(ctx context.Context, client *http.Client, cfg *Config, address string) (answer string, readable bool) {
	host := cfg.Server.sites()[0].Host
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
