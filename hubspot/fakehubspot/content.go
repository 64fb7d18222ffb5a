package fakehubspot

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Page is a page or post of the content API.
type Page struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	Slug              string `json:"slug"`
	URL               string `json:"url"`
	Domain            string `json:"domain"`
	Language          string `json:"language"`
	CurrentState      string `json:"currentState"`
	CurrentlyPublic   bool   `json:"currentlyPublished"`
	AccessRules       []any  `json:"publicAccessRules"`
	AccessRulesActive bool   `json:"publicAccessRulesEnabled"`
	Password          string `json:"password,omitempty"`
	TranslatedFrom    string `json:"translatedFromId,omitempty"`
	TableID           string `json:"dynamicPageHubDbTableId,omitempty"`
	Kind              string `json:"-"` // site | landing | post
	// Size is the number of bytes of the page's content, which a list contains unless the call names other members.
	Size int `json:"-"`
}

// Redirect is a URL mapping of the content API.
type Redirect struct {
	ID    string `json:"id"`
	From  string `json:"routePrefix"`
	To    string `json:"destination"`
	Style int    `json:"redirectStyle"` // 301 | 302 | 305
}

// content serves the content API.
type content struct {
	pages     []Page
	redirects []Redirect
}

func (c content) listDomains(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"total": 0, "results": []any{}})
}

func (c content) listRedirects(w http.ResponseWriter, _ *http.Request) {
	body := map[string]any{"total": len(c.redirects), "results": append([]Redirect{}, c.redirects...)}
	writeJSON(w, http.StatusOK, body)
}

// render returns the members of a page that a call asks for with property=; the id is always among them.
func (p Page) render(members []string) map[string]any {
	all := map[string]any{}
	raw, _ := json.Marshal(p)
	_ = json.Unmarshal(raw, &all)
	filler := strings.Repeat("x", p.Size)
	if p.Kind == "post" {
		all["postBody"] = filler
	} else {
		all["layoutSections"] = map[string]any{"dnd_area": map[string]any{"name": filler}}
	}
	if len(members) > 0 {
		maps.DeleteFunc(all, func(name string, _ any) bool { return name != "id" && !slices.Contains(members, name) })
	}
	return all
}

// list returns the handler that lists the pages of a kind.
func (c content) list(kind string) http.HandlerFunc {
	var all []Page
	for _, p := range c.pages {
		if p.Kind == kind {
			all = append(all, p)
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 || limit > 100 {
			limit = 100
		}
		from, _ := strconv.Atoi(query.Get("after"))
		from = min(max(from, 0), len(all))
		to := min(from+limit, len(all))
		results := []map[string]any{}
		for _, p := range all[from:to] {
			results = append(results, p.render(members(query["property"])))
		}
		body := map[string]any{"total": len(all), "results": results}
		if to < len(all) {
			body["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(to)}}
		}
		writeJSON(w, http.StatusOK, body)
	}
}

// members returns the names in the values of a query parameter, which may be repeated or separated by commas.
func members(values []string) (names []string) {
	for _, v := range values {
		names = append(names, strings.Split(v, ",")...)
	}
	return names
}
