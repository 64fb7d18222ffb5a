package rules

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// HubSpot serves one file at several addresses: /hubfs/P, /hubfs/HUBID/P, the resized /hs-fs/hubfs/P, the older
// /hub/HUBID/... A rule for one of them must hold for all, or another address would bypass it. So the rules for files
// are also kept by what they say about a file's name, and a request for a file must satisfy all that match its name.

// hubID represents any HubID in an address.
const hubID = "0"

// addresses are the beginnings of a file's addresses.
var addresses = [][]string{
	{"hubfs"}, {"hubfs", hubID}, {"hs-fs", "hubfs"}, {"hs-fs", "hubfs", hubID},
	{"hub", hubID}, {"hub", hubID, "hubfs"}, {"hs-fs", "hub", hubID}, {"hs-fs", "hub", hubID, "hubfs"},
}

// reachesFiles reports whether a pattern is about HubSpot's files.
func reachesFiles(p pattern) bool {
	if len(p.segments) == 0 || p.segments[0].kind != literal {
		return false
	}
	switch p.segments[0].text {
	case "hubfs", "hs-fs", "hub":
		return true
	}
	return false
}

// addFiles adds a pattern for files by the name of the file. A "+" in a pattern may be a space, because addresses are
// copied from browsers.
func (rs *Set) addFiles(p pattern, e entry) {
	if spaced, found := p.with(plusAsSpace); found {
		rs.addFiles(spaced, e)
	}
	if plain, found := p.with(urlpath.WithoutMarks); found {
		rs.addFiles(plain, e)
	}
	for _, address := range addresses {
		rests := [][]segment{p.segments}
		for _, part := range address {
			var next [][]segment
			for _, rest := range rests {
				next = append(next, after(rest, part)...)
			}
			rests = next
		}
		for _, rest := range rests {
			if len(rest) > 0 {
				rs.files.add(pattern{segments: rest}, e)
			}
		}
	}
}

// with returns a pattern with all segments changed, and whether it differs.
func (p pattern) with(change func(string) string) (_ pattern, differs bool) {
	other := pattern{text: p.text, segments: slices.Clone(p.segments)}
	for i, s := range p.segments {
		other.segments[i].text = change(s.text)
		differs = differs || other.segments[i].text != s.text
	}
	return other, differs
}

func plusAsSpace(text string) string { return strings.ReplaceAll(text, "+", " ") }

// narrowed returns a pattern for origins that do not fold letters to others, and whether it differs.
func (p pattern) narrowed() (_ pattern, differs bool) {
	text, narrowed := urlpath.Narrow(p.text)
	if !narrowed {
		return p, false
	}
	texts := splitPath(text)
	i := -1
	return p.with(func(text string) string {
		if i++; text != "" && i < len(texts) {
			return texts[i]
		}
		return text
	})
}

// after returns the segments that the rest of a path must match if it begins with part. There are two such lists if **
// may match more than part.
func after(segments []segment, part string) [][]segment {
	if len(segments) == 0 {
		return nil
	}
	s, rest := segments[0], segments[1:]
	switch {
	case s.kind == doubleStar:
		return append(after(rest, part), segments)
	case s.kind == literal && (s.text == part || (part == hubID && isNumber(s.text))),
		s.kind == glob && (globMatch(s.text, part) || (part == hubID && strings.Trim(s.text, "0123456789*") == "")):
		return [][]segment{rest}
	}
	return nil
}

// fileRules returns the rules for any address of the file at path, in file order, and the entry with the smallest rank.
// It returns none if path is not the address of a file.
func (rs *Set) fileRules(host, path string) (all []*rule, best entry) {
	best.rank = noRank
	if path == validationFile {
		return nil, best
	}
	if urlpath.IsTransformed(path) {
		return rs.transformed(host, path)
	}
	names := urlpath.FileNames(path)
	if names == nil {
		// Only HubSpot knows which file /hub/HUBID/file-ID is.
		if rs.protectsFiles && urlpath.IsFileID(path) {
			best.rule = builtin("hubspot:files", login)
			return []*rule{best.rule}, best
		}
		return nil, best
	}
	for _, name := range names {
		rs.files.each(host, name, func(e entry) {
			if e.rank < best.rank {
				best = e
			}
			if !slices.Contains(all, e.rule) {
				all = append(all, e.rule)
			}
		})
	}
	slices.SortFunc(all, func(a, b *rule) int { return a.index - b.index })
	return all, best
}

// transformed is fileRules for Cloudflare's addresses of a file, /cdn-cgi/image/OPTIONS/SOURCE. The source may be a
// path or a URL in any spelling, so it needs a login if any file does, and must satisfy the rules of everything in it
// that looks like the address of a file.
func (rs *Set) transformed(host, path string) (all []*rule, best entry) {
	best.rank = noRank
	if !rs.protectsFiles {
		return nil, best
	}
	best.rule = builtin("hubspot:files", login)
	all = []*rule{best.rule}
	const most = 4 // sources inside one another: the path decides how much work this is (CWE-407)
	sources := 0
	for i := range path {
		if rest := path[i:]; strings.HasPrefix(rest, "/hubfs/") || strings.HasPrefix(rest, "/hs-fs/") ||
			strings.HasPrefix(rest, "/hub/") {
			if sources++; sources > most {
				best.rule.access = refuse
				return []*rule{best.rule}, best
			}
			more, _ := rs.fileRules(host, rest)
			for _, r := range more {
				if !slices.Contains(all, r) {
					all = append(all, r)
				}
			}
		}
	}
	return all, best
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
