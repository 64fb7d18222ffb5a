package fakehubspot

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
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
}

// Redirect is a URL mapping of the content API.
type Redirect struct {
	ID    string `json:"id"`
	From  string `json:"routePrefix"`
	To    string `json:"destination"`
	Style int    `json:"redirectStyle"` // 301 | 302 | 305
}

var defaultPages = []Page{
	{ID: "101", Name: "Home", Slug: "", CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: "site"},
	{ID: "102", Name: "Members", Slug: "members", CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: "site"},
	{ID: "103", Name: "Partners", Slug: "partners", CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: "site"},
	{ID: "201", Name: "Spring offer", Slug: "spring", CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: "landing"},
	{ID: "301", Name: "Welcome", Slug: "blog/welcome", CurrentState: "PUBLISHED", CurrentlyPublic: true, Kind: "post"},
}

func (s *Server) listSitePages(w http.ResponseWriter, r *http.Request) { s.listPages(w, r, "site") }
func (s *Server) listLandingPages(w http.ResponseWriter, r *http.Request) {
	s.listPages(w, r, "landing")
}
func (s *Server) listPosts(w http.ResponseWriter, r *http.Request) { s.listPages(w, r, "post") }

func (s *Server) listNothing(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"total": 0, "results": []any{}})
}

func (s *Server) listRedirects(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"total": len(s.cfg.Redirects),
		"results": append([]Redirect{}, s.cfg.Redirects...)})
}

func (s *Server) listPages(w http.ResponseWriter, r *http.Request, kind string) {
	var all []Page
	for _, p := range s.cfg.Pages {
		if p.Kind == kind {
			all = append(all, p)
		}
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 100
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	from = min(max(from, 0), len(all))
	to := min(from+limit, len(all))
	body := map[string]any{"total": len(all), "results": append([]Page{}, all[from:to]...)}
	if to < len(all) {
		body["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(to)}}
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"portalId": s.cfg.HubID, "accountType": "STANDARD", "timeZone": "Europe/Berlin", "companyCurrency": "EUR",
		"additionalCurrencies": []string{},
		"utcOffset":            "+01:00", "utcOffsetMilliseconds": 3600000, "uiDomain": "app.hubspot.com",
		"dataHostingLocation": "na1",
	})
}

func (s *Server) usage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"results": []any{map[string]any{
		"name": "private-apps-api-calls-daily", "usageLimit": s.cfg.Daily, "currentUsage": s.usedToday,
		"resetsAt": s.cfg.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour).Format(timeLayout),
	}}})
}

// Submission is a submitted form.
type Submission struct {
	Form, Email, UTK, PageURI, Address string
}

// Submissions returns the submitted forms, oldest first.
func (s *Server) Submissions() []Submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Submission(nil), s.forms...)
}

var browserID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (s *Server) submitForm(w http.ResponseWriter, r *http.Request) {
	var body struct {
		SubmittedAt string `json:"submittedAt"`
		Fields      []struct {
			ObjectTypeID string `json:"objectTypeId"`
			Name         string `json:"name"`
			Value        string `json:"value"`
		} `json:"fields"`
		Context struct {
			UTK      string `json:"hutk"`
			PageURI  string `json:"pageUri"`
			PageName string `json:"pageName"`
			Address  string `json:"ipAddress"`
		} `json:"context"`
	}
	if !decode(w, r, &body) {
		return
	}
	if r.PathValue("hub") != strconv.FormatInt(s.cfg.HubID, 10) {
		writeError(w, http.StatusNotFound, problem{Message: "Form not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	if body.Context.UTK != "" && !browserID.MatchString(body.Context.UTK) {
		writeError(w, http.StatusBadRequest,
			problem{Message: "The request is not valid",
				Errors: []detail{{Message: "hutk is not valid", Code: "INVALID_HUTK"}}})
		return
	}
	sent := Submission{Form: r.PathValue("form"), UTK: body.Context.UTK, PageURI: body.Context.PageURI,
		Address: body.Context.Address}
	for _, f := range body.Fields {
		if f.Name == "email" {
			sent.Email = f.Value
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, sent)
	writeJSON(w, http.StatusOK, map[string]any{"inlineMessage": "Thanks for submitting the form."})
}
