package rules

import (
	"net/url"
	"slices"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// place is a pattern of the rules or a preview parameter, with an escaped path that it matches, for comparing Sets.
type place struct {
	text    string
	example string
	params  urlpath.PreviewParams
}

// places returns the patterns of all rules, the configured ones in file order first, and the preview parameters. A
// pattern with ** has several examples, because another rule may decide for each.
func (rs *Set) places() []place {
	var all []place
	for _, r := range append(slices.Clone(rs.rules), rs.builtin...) {
		for _, p := range r.patterns {
			for _, example := range p.Examples() {
				all = append(all, place{text: p.String(), example: (&url.URL{Path: example}).EscapedPath()})
			}
		}
	}
	return append(all,
		place{text: "?hs_preview", example: "/", params: urlpath.Preview},
		place{text: "?hsDebug", example: "/", params: urlpath.Debug},
		place{text: "-temporary-slug-*", example: "/-temporary-slug-x"})
}
