package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	styleBlock = regexp.MustCompile(`(?is)<style[^>]*>(.*?)</style>`)
	// notInert matches what the pages' Content-Security-Policy blocks anyway, and what redirects a visitor without a
	// click. html/template has had escaping flaws in scripts and in meta refresh (cross-site scripting, CWE-79).
	notInert = regexp.MustCompile(`(?i)<script|<iframe|<object|<embed|<base\b|<link\b|http-equiv|` +
		`\son[a-z]+\s*=|\sstyle\s*=`)
)

// parseLayout returns the template of every page and the CSP directive for its style sheets. Each style sheet is
// allowed by its hash, so that an injected one does not apply. The template is executed with a full and an empty page,
// so that errors are found at start.
func parseLayout(page, style string) (layout *template.Template, styleSource string, err error) {
	layout, err = template.New("page.html").Parse(page)
	if err != nil {
		return nil, "", err
	}
	if _, err = layout.New("style").Parse(style); err != nil {
		return nil, "", err
	}
	full, err := rendered(layout, sampleView())
	if err != nil {
		return nil, "", err
	}
	empty, err := rendered(layout, view{})
	if err != nil {
		return nil, "", err
	}
	styles := styleSources(full)
	if !slices.Equal(styles, styleSources(empty)) {
		return nil, "", errors.New("page.html: a <style> block differs between pages; " +
			"it must be constant, because it is allowed by its hash")
	}
	if found := notInert.FindString(styleBlock.ReplaceAllString(full+empty, "")); found != "" {
		return nil, "", fmt.Errorf("page.html: %q is not allowed: pages run no scripts and load nothing but the logo",
			strings.TrimSpace(found))
	}
	if !strings.Contains(full, sampleView().RequestID) {
		return nil, "", errors.New("page.html: {{.RequestID}} is missing; " +
			"it is needed to find a visitor's request in the log")
	}
	if len(styles) == 0 {
		styles = []string{"'none'"}
	}
	return layout, "style-src " + strings.Join(styles, " "), nil
}

func rendered(layout *template.Template, v view) (string, error) {
	var out bytes.Buffer
	err := layout.Execute(&out, v)
	return out.String(), err
}

func styleSources(html string) []string {
	var sources []string
	for _, match := range styleBlock.FindAllStringSubmatch(html, -1) {
		sum := sha256.Sum256([]byte(match[1]))
		sources = append(sources, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return sources
}

// sampleView returns a view with a value in every field.
func sampleView() view {
	return view{
		Lang: fallback, Dir: "ltr", Name: string(TestLogin), Icon: "list", Mood: "calm", Status: http.StatusBadRequest,
		Site: "Example", Logo: "/logo.svg", Home: "/", Details: "Details", Word: "word",
		Title: "Title", Text: "Text", Cause: "Cause", Next: "Next",
		Forms: []viewForm{{Label: "Send", Action: "/", Fields: []Field{{Name: "name", Value: "value"}}, Primary: true},
			{Label: "Send", Action: "/", Quiet: true}},
		Links: []viewLink{{Label: "Link", URL: "/"}},
		Rows: []viewRow{{Label: "Label", Value: "Value"},
			{Label: "Label", Value: "Value", Time: time.Time{}.Format(time.RFC3339), Left: "left"}},
		Verdict: "Verdict",
		Tables:  []viewTable{sampleTable(false), sampleTable(true)},
		Support: "mailto:help@example.com", RequestID: "SAMPLEREQUESTIDENTIFIER", Words: map[string]string{},
	}
}

func sampleTable(folded bool) viewTable {
	return viewTable{Caption: "Caption", Columns: []string{"A", "B"}, Folded: folded, Rows: [][]viewCell{
		{{Text: "1", Code: true}, {Finding: "2", Text: "3", Time: time.Time{}.Format(time.RFC3339)}}}}
}
