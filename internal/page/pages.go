package page

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
)

//go:embed templates/page.html templates/style.css
var embeddedTemplates embed.FS

// auto is the value of language that follows the browser's preference.
const auto = "auto"

// Pages renders pages. It is immutable; a reload creates a new one.
type Pages struct {
	cfg         Config
	languages   map[string]catalogue
	tags        []string // of languages, sorted
	layout      *template.Template
	styleSource string // Content-Security-Policy: style-src
	imageSource string // Content-Security-Policy: img-src
}

// New returns Pages with the operator's theme. It fails if a template or a language of the folder is invalid.
func New(cfg Config) (*Pages, error) {
	cfg.Language = strings.ToLower(cmp.Or(cfg.Language, auto))
	theme, err := loadTheme(cfg)
	layout, styles, layoutErr := parseLayout(theme.page, theme.style)
	if err := errors.Join(err, layoutErr); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	tags := keys(theme.languages)
	if cfg.Language != auto && !slices.Contains(tags, cfg.Language) {
		return nil, fmt.Errorf("pages: unknown language %q; use auto, %s", cfg.Language, strings.Join(tags, ", "))
	}
	return &Pages{cfg: cfg, languages: theme.languages, tags: tags, layout: layout,
		styleSource: styles, imageSource: imageSource(cfg.Logo)}, nil
}

// HasCause reports whether the catalogue has a sentence for this cause of a page, for visitors or for administrators.
func (p *Pages) HasCause(name Name, cause string) bool {
	c, key := p.languages[fallback], causeKey(name, cause)
	return c.Causes[key] != "" || c.Details[key] != ""
}

func causeKey(name Name, cause string) string { return string(name) + "." + cause }

// imageSource returns the CSP directive that allows images of this host, so that browsers show its favicon, and of the
// logo's origin.
func imageSource(logo string) string {
	u, err := url.Parse(logo)
	if err != nil || u.Host == "" {
		return "img-src 'self'"
	}
	return "img-src 'self' " + u.Scheme + "://" + u.Host
}
