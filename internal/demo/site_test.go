package demo

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/proxy/rules"
)

// local is the demo as it is without flags.
var local = Config{Base: 8080, Bind: netip.MustParseAddr("127.0.0.1")}

var linkForm = regexp.MustCompile(`(?:href|src)="(/[^"#]*)"`)

// walk opens every address of the demo's site that a link leads to, and passes each to visit.
func walk(t *testing.T, visit func(path, from string, response *httptest.ResponseRecorder)) {
	t.Helper()
	site := newSetup(local).hubspot()
	seen := map[string]bool{"/": true}
	for todo := [][2]string{{"/", ""}}; len(todo) > 0; todo = todo[1:] {
		path, from := todo[0][0], todo[0][1]
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Header.Set("X-HS-Public-Host", "localhost:8080")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, request)
		visit(path, from, w)
		for _, found := range linkForm.FindAllStringSubmatch(w.Body.String(), -1) {
			to, _, _ := strings.Cut(html.UnescapeString(found[1]), "?")
			if to != "/" {
				to = strings.TrimSuffix(to, "/")
			}
			if !seen[to] {
				seen[to] = true
				todo = append(todo, [2]string{to, path})
			}
		}
	}
}

// The fake account lists the pages of the fake site, and every page can be reached by links.
func TestDemoListsThePagesOfItsSite(t *testing.T) {
	t.Parallel()
	var linked, listed []string
	walk(t, func(path, from string, w *httptest.ResponseRecorder) {
		if w.Code != http.StatusOK {
			t.Errorf("%s, linked from %s: %d", path, from, w.Code)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			linked = append(linked, path)
		}
	})
	ids := map[string]bool{}
	for _, p := range newSetup(local).pages() {
		if listed = append(listed, "/"+p.Slug); p.URL != "http://localhost:8080/"+p.Slug || ids[p.ID] {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
	}
	slices.Sort(linked)
	slices.Sort(listed)
	if d := cmp.Diff(linked, listed); d != "" || len(listed) < 10 {
		t.Error(d)
	}
}

// A file has an address of its own, and the rule for the page that links it does not cover it.
func TestDemoProtectsFilesOfProtectedPages(t *testing.T) {
	t.Parallel()
	path, err := newSetup(local).writeConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg, ruleSet, err := config.LoadRules(path, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	decision := func(path string) string {
		x, err := ruleSet.Explain(cfg.Server.Sites(), rules.Question{Address: path})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return x.Decision
	}
	files := 0
	walk(t, func(path, from string, _ *httptest.ResponseRecorder) {
		if !strings.HasPrefix(path, "/hubfs/") {
			return
		}
		files++
		if got, want := decision(path), decision(from); got != want {
			t.Errorf("the file %s is %s, and its page %s is %s", path, got, from, want)
		}
	})
	if files < 3 {
		t.Errorf("%d files are linked", files)
	}
}

func TestDemoListsTheRedirectsOfItsSite(t *testing.T) {
	t.Parallel()
	site := newSetup(local).hubspot()
	for _, r := range redirects() {
		request := httptest.NewRequest(http.MethodGet, r.From, nil)
		request.Header.Set("X-HS-Public-Host", "localhost:8080")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, request)
		to := w.Header().Get("Location")
		if w.Code != r.Style || !strings.HasSuffix(to, r.To) {
			t.Errorf("%s: %d to %s", r.From, w.Code, to)
		}
	}
}
