package setting

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Quote returns a value in quotes for a message: shortened, and with escapes for characters that cannot be seen.
func Quote(text string) string {
	text = Truncate(text, 80)
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return `"` + b.String() + `"`
}

// CheckWord checks that a value is one of the words.
func CheckWord(key, value string, words ...string) []Problem {
	if slices.Contains(words, value) {
		return nil
	}
	cure := "write one of: " + strings.Join(words, ", ")
	if value == "" {
		return []Problem{{Key: key, Text: "required", Cure: cure}}
	}
	if near := Nearest(value, words); near != "" {
		cure = "did you mean " + near + "? " + cure
	}
	return []Problem{{Key: key, Text: Quote(value) + " is not a valid value", Cure: cure}}
}

// CheckHost checks that a value is a host with an optional port, and no other part of a URL.
func CheckHost(key, host string) []Problem {
	u, err := url.Parse("//" + host)
	foreign := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-.:[]", r)
	}
	if err == nil && u.Host == host && u.Hostname() != "" && !strings.ContainsFunc(host, foreign) {
		return nil
	}
	p := Problem{
		Key: key, Text: Quote(host) + " is not a host",
		Cure: "write a host such as www.example.com, with a port if needed",
	}
	switch full, err := url.Parse(host); {
	case strings.Contains(host, "*"):
		p.Cure = "write the host by name; wildcards are not supported"
		if strings.Contains(key, ".hosts[") {
			p.Cure = "write each host by name, or remove hosts to match all hosts"
		}
	case err == nil && full.User != nil:
		p.Text = "not a host: it contains a password"
	case err == nil && full.Host != "":
		p.Cure = "write " + Quote(full.Host)
	}
	return []Problem{p}
}
