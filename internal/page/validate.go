package page

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// maxSiteName is the maximum number of characters of a site's name, which must fit into a heading on a phone.
const maxSiteName = 80

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// Validate returns the problems of the section. It does not read the folder; New does.
func (c Config) Validate() []setting.Problem {
	var problems []setting.Problem
	add := func(key, text, cure string) {
		problems = append(problems, setting.Problem{Key: "pages." + key, Text: text, Cure: cure})
	}
	if n := utf8.RuneCountInString(c.SiteName); n > maxSiteName {
		add("site_name", fmt.Sprintf("has %d characters", n), fmt.Sprintf("write at most %d", maxSiteName))
	}
	if strings.ContainsFunc(c.SiteName, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		add("site_name", "contains a line break or another control character", "write one line")
	}
	if c.Logo != "" && !isLogo(c.Logo) {
		add("logo", fmt.Sprintf("%q is neither an https URL nor a path on this site", c.Logo),
			"write something like https://www.example.com/logo.svg or /hubfs/logo.svg")
	}
	if c.Support != "" && !isSupport(c.Support) {
		add("support", fmt.Sprintf("%q is neither an https nor a mailto URL", c.Support),
			"write something like https://www.example.com/contact or mailto:help@example.com")
	}
	if c.Language != "" && c.Language != auto && !languageTag.MatchString(c.Language) {
		add("language", fmt.Sprintf("%q is not a language tag", c.Language),
			"write auto, en, de, or a language of pages.folder, such as fr")
	}
	if known := []string{"en", "de"}; c.Folder == "" && languageTag.MatchString(c.Language) && c.Language != auto {
		if lower := strings.ToLower(c.Language); lower != known[0] && lower != known[1] {
			add("language", fmt.Sprintf("hubgate has no texts in the language %q", c.Language),
				"write auto, en or de, or name a pages.folder that has "+lower+".json")
		}
	}
	return append(problems, c.checkAccents()...)
}

// isLogo reports whether the text is an https URL or a path. It rejects characters that could end the CSP directive
// that the host becomes part of: spaces, and semicolons and commas in the host.
func isLogo(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || strings.ContainsAny(text, " \t\"'\\") {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(text, "//")
	}
	return u.Scheme == "https" && u.Hostname() != "" && !strings.ContainsAny(u.Host, ";,*")
}

func isSupport(text string) bool {
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(text, " \t\"'\\") {
		return false
	}
	return u.Scheme == "https" && u.Hostname() != "" && u.User == nil ||
		u.Scheme == "mailto" && strings.Count(u.Opaque, "@") == 1
}
