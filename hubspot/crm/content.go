package crm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Page is a page or blog post of the account's websites.
type Page struct {
	ID            string            `json:"id"`
	Kind          string            `json:"kind"` // site | landing | post
	Name          string            `json:"name"`
	URL           string            `json:"url"` // as returned by HubSpot; may be empty
	Domain        string            `json:"domain"`
	Slug          string            `json:"slug"`
	Language      string            `json:"language"`
	State         string            `json:"state"`
	Published     bool              `json:"published"`
	Password      bool              `json:"password"`   // HubSpot asks for a password, which is not kept
	Restricted    bool              `json:"restricted"` // only some HubSpot members have access
	Dynamic       bool              `json:"dynamic"`    // table rows are pages below it
	TranslationOf string            `json:"translation_of,omitempty"`
	Translations  map[string]string `json:"translations,omitempty"` // language -> slug
}

// Redirect is one of HubSpot's URL mappings. Style 305 serves the content of To under From.
type Redirect struct {
	ID    string `json:"id"`
	From  string `json:"from"`
	To    string `json:"to"`
	Style int    `json:"style"`
}

type wirePage struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	URL           string  `json:"url"`
	Domain        string  `json:"domain"`
	Slug          *string `json:"slug"`
	Language      string  `json:"language"`
	State         string  `json:"currentState"`
	Published     bool    `json:"currentlyPublished"`
	Password      string  `json:"password"`
	Restricted    bool    `json:"publicAccessRulesEnabled"`
	TableID       any     `json:"dynamicPageHubDbTableId"`
	Source        any     `json:"dynamicPageDataSourceType"`
	TranslationOf string  `json:"translatedFromId"`
	Translations  map[string]struct {
		Slug string `json:"slug"`
	} `json:"translations"`
}

// page returns the page for operators. Its paths stay as they are: rules decide about them.
func (w wirePage) page(kind string) Page {
	p := Page{
		ID: clean(w.ID, false), Kind: kind, Name: sanitize(w.Name), URL: clean(w.URL, false),
		Domain: clean(w.Domain, false), Language: clean(w.Language, false), State: clean(w.State, false),
		Published: w.Published || strings.HasPrefix(w.State, "PUBLISHED"),
		Password:  w.Password != "", Restricted: w.Restricted,
		Dynamic: isSet(w.TableID) || isSet(w.Source), TranslationOf: clean(w.TranslationOf, false),
	}
	if w.Slug != nil {
		p.Slug = *w.Slug
	}
	for language, t := range w.Translations {
		if p.Translations == nil {
			p.Translations = map[string]string{}
		}
		p.Translations[language] = t.Slug
	}
	return p
}

func isSet(v any) bool { return v != nil && v != "" && v != float64(0) && v != "0" }

// content returns the path of a list in the content API.
func (a *Account) content(area, rest string) string {
	return "/cms/" + area + "/" + a.cfg.APIVersion + rest
}

// Content is what the content API lists.
type Content struct {
	Pages     []Page
	Redirects []Redirect
	Unread    []Unread
}

// Unread is a list of which not all was read.
type Unread struct {
	List  string // site pages | landing pages | posts | redirects
	Read  int    // elements that were read
	Total int    // as HubSpot states it; 0 if it is not known
	Err   error
}

// Content lists all site pages, landing pages, posts and redirects. It is an error if no list of pages can be read; a
// list that fails while others do not is in Unread. progress receives the number of pages read so far and in total,
// because large accounts have tens of thousands.
func (a *Account) Content(ctx context.Context, progress func(read, total int)) (found Content, err error) {
	pages, redirects := a.pageLists(&found.Pages), a.redirectList(&found.Redirects)
	for i, l := range pages { // the first response of each list has its total
		if l.next(ctx); i == 0 && isFatal(l.err) {
			return Content{}, l.err
		}
	}
	for _, l := range pages {
		for !l.done {
			l.next(ctx)
			progress(sumOf(pages))
		}
	}
	for !redirects.done {
		redirects.next(ctx)
	}
	if ctx.Err() != nil {
		return Content{}, ctx.Err()
	}
	failed := 0
	for _, l := range append(pages, redirects) {
		if l.err != nil {
			found.Unread = append(found.Unread, Unread{List: l.name, Read: l.read, Total: l.total, Err: l.err})
		}
		if l.err != nil && l.read == 0 && l != redirects {
			failed++
		}
	}
	if failed == len(pages) {
		return Content{}, pages[0].err
	}
	slices.SortStableFunc(found.Pages, func(a, b Page) int {
		return strings.Compare(a.Domain+"/"+a.Slug, b.Domain+"/"+b.Slug)
	})
	return found, nil
}

// isFatal reports whether the other lists would fail with the same error: a rejected token, an exhausted rate limit, or
// no response.
func isFatal(err error) bool {
	var answer *APIError
	var network interface{ Timeout() bool }
	if errors.As(err, &answer) {
		return answer.Status == http.StatusUnauthorized || answer.Status == http.StatusTooManyRequests
	}
	return errors.As(err, &network)
}

func sumOf(lists []*contentList) (read, total int) {
	for _, l := range lists {
		read, total = read+l.read, total+l.total
	}
	return read, total
}

// pageProperties are the members of a page that are used. HubSpot would send whole pages, which may have megabytes.
const pageProperties = "id,name,url,domain,slug,language,currentState,currentlyPublished,password," +
	"publicAccessRulesEnabled,dynamicPageHubDbTableId,dynamicPageDataSourceType,translatedFromId,translations"

func (a *Account) pageLists(to *[]Page) (lists []*contentList) {
	for _, l := range []struct{ kind, name, path string }{
		{"site", "site pages", a.content("pages", "/site-pages")},
		{"landing", "landing pages", a.content("pages", "/landing-pages")},
		{"post", "posts", a.content("blogs", "/posts")},
	} {
		lists = append(lists, &contentList{
			account: a, name: l.name, path: l.path, properties: pageProperties,
			take: func(element json.RawMessage) error {
				var w wirePage
				if err := decodeResponse(element, &w); err != nil {
					return err
				}
				switch {
				case w.ID == "":
					return missingMember("id")
				case w.Slug == nil && w.URL == "": // "" is the home page
					return missingMember("slug")
				}
				*to = append(*to, w.page(l.kind))
				return nil
			},
		})
	}
	return lists
}

// redirectList returns the list of URL mappings.
func (a *Account) redirectList(to *[]Redirect) *contentList {
	take := func(element json.RawMessage) error {
		var w struct {
			ID    string  `json:"id"`
			From  *string `json:"routePrefix"`
			To    *string `json:"destination"`
			Style int     `json:"redirectStyle"`
		}
		if err := decodeResponse(element, &w); err != nil {
			return err
		}
		switch {
		case w.From == nil:
			return missingMember("routePrefix")
		case w.To == nil:
			return missingMember("destination")
		}
		*to = append(*to, Redirect{ID: w.ID, From: *w.From, To: *w.To, Style: w.Style})
		return nil
	}
	return &contentList{
		account: a, name: "redirects", path: a.content("url-redirects", ""), take: take,
	}
}
