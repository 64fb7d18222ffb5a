package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
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
	if cfg.Language == "" {
		cfg.Language = auto
	}
	look, err := loadLook(cfg.Folder)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	if _, known := look.languages[cfg.Language]; !known && cfg.Language != auto {
		return nil, fmt.Errorf("pages: language %q is not there; there are auto, %s", cfg.Language, strings.Join(keys(look.languages), ", "))
	}
	layout, err := parseLayout(look.page, look.style)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	p := &Pages{cfg: cfg, languages: look.languages, tags: keys(look.languages), layout: layout,
		styleSource: styleSource(look.style), imageSource: imageSource(cfg.Logo)}
	return p, nil
}

// Languages are the tags of the languages there are.
func (p *Pages) Languages() []string { return slices.Clone(p.tags) }

// parseLayout makes the template of every page; the style sheet goes in verbatim, so that its hash is known beforehand.
func parseLayout(page, style string) (*template.Template, error) {
	layout, err := template.New("page.html").Parse(page)
	if err != nil {
		return nil, err
	}
	_, err = layout.New("style").Parse(style)
	return layout, err
}

// styleSource allows the one style sheet of the pages by its hash: an injected one would not apply.
func styleSource(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

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
