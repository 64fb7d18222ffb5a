package crm

import (
	"context"
	"encoding/json"
	"fmt"
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
	ID            string `json:"id"`
	Name          string `json:"name"`
	URL           string `json:"url"`
	Domain        string `json:"domain"`
	Slug          string `json:"slug"`
	Language      string `json:"language"`
	State         string `json:"currentState"`
	Published     bool   `json:"currentlyPublished"`
	Password      string `json:"password"`
	Restricted    bool   `json:"publicAccessRulesEnabled"`
	TableID       any    `json:"dynamicPageHubDbTableId"`
	Source        any    `json:"dynamicPageDataSourceType"`
	TranslationOf string `json:"translatedFromId"`
	Translations  map[string]struct {
		Slug string `json:"slug"`
	} `json:"translations"`
}

func (w wirePage) page(kind string) Page {
	p := Page{
		ID: w.ID, Kind: kind, Name: sanitize(w.Name), URL: w.URL, Domain: w.Domain, Slug: w.Slug,
		Language: w.Language, State: w.State, Published: w.Published || strings.HasPrefix(w.State, "PUBLISHED"),
		Password: w.Password != "", Restricted: w.Restricted,
		Dynamic: isSet(w.TableID) || isSet(w.Source), TranslationOf: w.TranslationOf,
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

// pagesVersion is the last dated API version with site and landing pages; posts and redirects have newer ones.
const pagesVersion = "2026-03"

// content returns the path of a list in the content API.
func content(area, version, rest string) string { return "/cms/" + area + "/" + version + rest }

// Pages lists all site pages, landing pages and posts. progress receives the number of pages read so far; large
// accounts have tens of thousands.
func (a *Account) Pages(ctx context.Context, progress func(n int)) ([]Page, error) {
	var all []Page
	for _, l := range []struct{ kind, path string }{
		{"site", content("pages", pagesVersion, "/site-pages")},
		{"landing", content("pages", pagesVersion, "/landing-pages")},
		{"post", content("blogs", a.cfg.APIVersion, "/posts")},
	} {
		err := a.list(ctx, l.path, func(element json.RawMessage) error {
			var w wirePage
			if json.Unmarshal(element, &w) != nil {
				return errUnexpectedResponse
			}
			if all = append(all, w.page(l.kind)); len(all)%500 == 0 {
				progress(len(all))
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("hubspot: list %s pages: %w", l.kind, err)
		}
	}
	slices.SortStableFunc(all, func(a, b Page) int {
		return strings.Compare(a.Domain+"/"+a.Slug, b.Domain+"/"+b.Slug)
	})
	return all, nil
}

// Redirects lists the URL mappings.
func (a *Account) Redirects(ctx context.Context) ([]Redirect, error) {
	var all []Redirect
	err := a.list(ctx, content("url-redirects", a.cfg.APIVersion, ""), func(element json.RawMessage) error {
		var w struct {
			ID    string `json:"id"`
			From  string `json:"routePrefix"`
			To    string `json:"destination"`
			Style int    `json:"redirectStyle"`
		}
		if json.Unmarshal(element, &w) != nil {
			return errUnexpectedResponse
		}
		all = append(all, Redirect(w))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hubspot: list redirects: %w", err)
	}
	return all, nil
}
