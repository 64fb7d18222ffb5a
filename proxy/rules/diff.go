package rules

import (
	"fmt"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Change is one place whose protection differs between two Sets.
type Change struct {
	Place    string `json:"place"` // a pattern, proxy.default, or a URL
	Example  string `json:"-"`     // the path that was compared, if Place is a pattern
	Host     string `json:"host"`
	Was      string `json:"was"`
	Is       string `json:"is"`
	MoreOpen bool   `json:"more_open"`
}

// Changes are the differences between two Sets.
type Changes []Change

// MoreOpen returns how many of the changes admit a visitor who was not admitted before.
func (c Changes) MoreOpen() int {
	n := 0
	for _, ch := range c {
		if ch.MoreOpen {
			n++
		}
	}
	return n
}

// maxSummary is how many changes the log line lists; /config lists all.
const maxSummary = 20

// Summary returns the changes in one line, for the log.
func (c Changes) Summary() string {
	if len(c) == 0 {
		return "unchanged"
	}
	var parts []string
	for _, ch := range c[:min(len(c), maxSummary)] {
		place, mark := ch.Place, ""
		if strings.HasPrefix(place, "/") {
			place = ch.Host + place
		}
		if ch.MoreOpen {
			mark = " (more open)"
		}
		parts = append(parts, fmt.Sprintf("%s: %s -> %s%s", place, ch.Was, ch.Is, mark))
	}
	if rest := len(c) - len(parts); rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, "; ")
}

// Diff compares two Sets at every pattern of either, on every host.
func Diff(was, is *Set, hosts []string) Changes {
	var all Changes
	seen := map[string]bool{}
	for _, p := range append(was.places(), is.places()...) {
		path, err := urlpath.Parse(p.example)
		if err != nil {
			continue
		}
		for _, host := range hosts {
			ch, differs := CompareAt(was, is, Subject{Host: host, Path: path, Params: p.params})
			if key := p.text + " " + host; differs && !seen[key] {
				seen[key] = true
				ch.Place, ch.Example = p.text, p.example
				all = append(all, ch)
			}
		}
	}
	if unmatched, err := urlpath.Parse("/x-no-rule-speaks-of-this/x"); err == nil {
		if ch, differs := CompareAt(was, is, Subject{Host: hosts[0], Path: unmatched}); differs {
			ch.Place = "proxy.default"
			all = append(all, ch)
		}
	}
	return all
}

// CompareAt compares two Sets at one URL, and reports whether they admit different visitors there. Another name for the
// same list does not count.
func CompareAt(was, is *Set, at Subject) (Change, bool) {
	before, after := was.Protection(at.Host, at.Path, at.Params), is.Protection(at.Host, at.Path, at.Params)
	ch := Change{Host: at.Host, Was: before.String(), Is: after.String(), MoreOpen: after.MoreOpen(before)}
	return ch, ch.MoreOpen || before.MoreOpen(after)
}
