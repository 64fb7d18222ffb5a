package pattern

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// Suspicion is what a protecting pattern may leave public by mistake: paths to check, and the cure if one of them is
// public.
type Suspicion struct {
	Paths []string
	Cure  string
}

// Suspicions returns what the author of the pattern probably meant to match as well: pages below, and files.
func (p Pattern) Suspicions() []Suspicion { return slices.Concat(p.missedPages(), p.missedFiles()) }

// fileName matches the last segment of a path that has no pages below it. Other endings after a dot belong to pages:
// jane.doe, example.de.
var fileName = regexp.MustCompile(`\.(html?|xhtml|pdf|xml|rss|txt|csv|json|ics|vcf|map|css|m?js` +
	`|png|jpe?g|gif|svg|webp|avif|ico|bmp|tiff?|woff2?|ttf|otf|eot` +
	`|mp[34]|m4[av]|webm|og[gv]|wav|mov|avi|docx?|xlsx?|pptx?|od[tsp]|rtf|epub|zip|gz|rar|7z|tar|exe|dmg|pkg|apk)$`)

// isFile reports whether a pattern is for a file. HubSpot serves scripts from its own folders only, so node.js
// elsewhere is a page.
func (p Pattern) isFile() bool {
	last := p.segments[len(p.segments)-1]
	if !fileName.MatchString(last.text) {
		return false
	}
	own := slices.Contains([]string{"hubfs", "hs-fs", "hub", "hs", "_hcms"}, p.segments[0].text)
	return own || last.kind == glob || !strings.HasSuffix(last.text, "js")
}

// missedPages suspects that a pattern which does not end in ** is meant for the pages below as well. A rule for the
// home page alone is deliberate, and a file has nothing below.
func (p Pattern) missedPages() []Suspicion {
	n := len(p.segments)
	if n == 0 || p.segments[n-1].kind == doubleStar {
		return nil
	}
	if p.isFile() {
		return p.missedFolders()
	}
	meant, all := p.meant()
	cure := "write " + setting.Quote(meant) + ", which is the page and everything below it"
	if meant != all {
		cure += ", or " + setting.Quote(all) + " for every name that begins like this"
	}
	page := examplePath(p.segments)
	return []Suspicion{{
		Paths: []string{page + "/page", page + "/example"},
		Cure: cure + "; if the pages below should be public, write a rule for " + setting.Quote(all) +
			" with access: public",
	}}
}

// missedFolders suspects that the * in the name of a file is meant for the folders below as well.
func (p Pattern) missedFolders() []Suspicion {
	n := len(p.segments)
	if p.segments[n-1].kind == literal {
		return nil
	}
	folder, name := p.split()
	return []Suspicion{{
		Paths: []string{examplePath(p.segments[:n-1]) + "/folder/" + exampleSegment(p.segments[n-1])},
		Cure: "* matches within one segment only; write " +
			setting.Quote(strings.TrimSuffix(folder, "/**")+"/**"+name),
	}}
}

// meant returns the pattern that was probably meant by one for a page, and the widest that may have been meant.
func (p Pattern) meant() (meant, all string) {
	folder, last := p.split()
	all = folder + last + "/**"
	name, star := strings.CutSuffix(p.segments[len(p.segments)-1].text, "*")
	switch {
	case star && name == "": // /members/* probably means /members/**
		return folder + "/**", folder + "/**"
	case star && !strings.Contains(name, "*") && endsInLetter(name) && strings.HasSuffix(last, "*"):
		// /members* does too, unless there are /members-a and /members-b.
		meant = folder + strings.TrimSuffix(last, "*") + "/**"
		if wider, bad := Parse(all); bad != nil || wider.missedFiles() != nil {
			return meant, meant // the built-in rule for files would win over /hubfs*/**
		}
		return meant, all
	}
	return all, all
}

// split returns the pattern as it was written, before and from the slash of its last segment.
func (p Pattern) split() (folder, last string) {
	text := strings.TrimRight(p.text, "/")
	i := strings.LastIndexByte(text, '/')
	return text[:i], text[i:]
}

// missedFiles suspects that a pattern which begins with a wildcard is meant for HubSpot's files as well, which the
// built-in rule makes public. A pattern for the whole site is not: it is documented that files stay public.
func (p Pattern) missedFiles() []Suspicion {
	if len(p.segments) == 0 || p.segments[0].kind == literal ||
		(p.startsWithWildcard() && p.Contains(Below("/hubfs"))) {
		return nil
	}
	for _, root := range [][]string{{"hubfs"}, {"hs-fs", "hubfs"}} {
		for _, rest := range below(p.segments, root) {
			if len(rest) == 0 {
				continue
			}
			return []Suspicion{{
				Paths: []string{"/" + strings.Join(root, "/") + exampleFile(rest, "/board.pdf")},
				Cure: "the built-in rule for files applies there; add a rule for " +
					setting.Quote("/hubfs"+p.written(len(p.segments)-len(rest))),
			}}
		}
	}
	return nil
}

// startsWithWildcard reports whether the pattern matches paths with any first segment.
func (p Pattern) startsWithWildcard() bool {
	return len(p.segments) > 0 && (p.segments[0].kind == doubleStar || p.segments[0].text == "*")
}
