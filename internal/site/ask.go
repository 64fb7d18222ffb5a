package site

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAnswer is what the origin said about a page.
type originAnswer struct {
	status   string
	answered bool
	open     bool   // the page itself was in the response
	failure  string // why the response says nothing about the page
}

const maxHops = 3

// ask requests a page from the origin. It follows redirects that stay on the site, because the page may be at their
// end.
func (p *probe) ask(ctx context.Context, address string) originAnswer {
	public, err := url.Parse(address)
	if err != nil {
		return originAnswer{status: "no answer", failure: "its address is not a URL"}
	}
	if public.Host == "" {
		public.Host = p.cfg.Server.Sites()[0].Host
	}
	path := cmp.Or(public.EscapedPath(), "/")
	for range maxHops + 1 {
		res, err := p.get(ctx, public.Host, path)
		if err != nil {
			return originAnswer{status: "no answer", failure: "no answer: " + shortError(err)}
		}
		next, onSite := p.redirect(res, public.Host)
		if !onSite {
			return judge(res)
		}
		res.Body.Close()
		path = next
	}
	return originAnswer{status: "redirects", answered: true, failure: "the origin redirects it again and again"}
}

func (p *probe) get(ctx context.Context, host, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.cfg.Proxy.Origin, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Hs-Public-Host", host)
	if p.cfg.Proxy.OriginHost != "" {
		req.Host = p.cfg.Proxy.OriginHost
	}
	return p.client.Do(req)
}

// redirect returns the path to which a response redirects, if that is on the site and not one of HubSpot's own login
// pages.
func (p *probe) redirect(res *http.Response, publicHost string) (path string, onSite bool) {
	to, err := res.Location()
	if res.StatusCode < 300 || res.StatusCode > 399 || err != nil {
		return "", false
	}
	hosts := []string{res.Request.URL.Host, res.Request.Host, strings.ToLower(publicHost)}
	if !slices.Contains(hosts, strings.ToLower(to.Host)) || strings.HasPrefix(to.Path, "/_hcms/") {
		return "", false
	}
	return to.RequestURI(), true
}

// judge reads a response that is not a redirect on the site.
func judge(res *http.Response) originAnswer {
	defer res.Body.Close()
	a := originAnswer{status: res.Status, answered: true}
	switch {
	case res.StatusCode >= 500, slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests,
	}, res.StatusCode):
		a.failure = "the origin answered " + res.Status
	case res.StatusCode < 300:
		text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			a.failure = "the origin's answer broke off: " + shortError(err)
		}
		// HubSpot's own login and password pages have status 200 too; their forms tell them apart.
		locked := bytes.Contains(text, []byte("/_hcms/protected/auth")) || bytes.Contains(text, []byte("/_hcms/mem/login"))
		a.open = !locked
	}
	return a
}

// shortError returns the text of a network error without the address, so that pages are grouped by it.
func shortError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}
