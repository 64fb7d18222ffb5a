package page

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
)

//go:embed templates/page.html templates/style.css
var embeddedTemplates embed.FS

// auto is the language that follows the browser.
const auto = "auto"

// Pages renders pages. It is immutable: a reload makes a new one.
type Pages struct {
	cfg         Config
	languages   map[string]catalogue
	tags        []string // of languages, sorted
	layout      *template.Template
	styleSource string // Content-Security-Policy: style-src
	imageSource string // Content-Security-Policy: img-src; "" when there is no logo
}

// New makes Pages of the operator's look. It fails when the folder's templates or languages do not fit.
func New(cfg Config) (*Pages, error) {
	cfg.Language = strings.ToLower(cmp.Or(cfg.Language, auto))
	look, err := loadLook(cfg.Folder)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	tags := keys(look.languages)
	if cfg.Language != auto && !slices.Contains(tags, cfg.Language) {
		return nil, fmt.Errorf("pages: there is no language %q; there are auto, %s", cfg.Language, strings.Join(tags, ", "))
	}
	layout, styles, err := parseLayout(look.page, look.style)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return &Pages{cfg: cfg, languages: look.languages, tags: tags, layout: layout,
		styleSource: styles, imageSource: imageSource(cfg.Logo)}, nil
}

// HasCause tells whether the catalogue has a sentence of its own for the cause of a page.
func (p *Pages) HasCause(name Name, cause string) bool {
	return p.languages[fallback].Causes[causeKey(name, cause)] != ""
}

func causeKey(name Name, cause string) string { return string(name) + "." + cause }

// imageSource allows the logo, and nothing else, to be loaded.
func imageSource(logo string) string {
	if logo == "" {
		return ""
	}
	u, err := url.Parse(logo)
	if err != nil || u.Host == "" {
		return "img-src 'self'"
	}
	return "img-src " + u.Scheme + "://" + u.Host
}
