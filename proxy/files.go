package proxy

import (
	"slices"
	"strings"
	"unicode"
)

// HubSpot serves one file under several addresses: /hubfs/P, /hubfs/HUBID/P, the resized /hs-fs/hubfs/P, the older
// /hub/HUBID/... A rule for one of them must hold for all, or the twin would be the way around it. So every rule that
// speaks about files is also kept by what it says about a file's name, whatever the address, and a request for a file
// is judged by all of those.

// hubID stands for any HubID in an address.
const hubID = "0"

// addresses are the ways to a file, without its name.
var addresses = [][]string{
	{"hubfs"}, {"hubfs", hubID}, {"hs-fs", "hubfs"}, {"hs-fs", "hubfs", hubID},
	{"hub", hubID}, {"hub", hubID, "hubfs"}, {"hs-fs", "hub", hubID}, {"hs-fs", "hub", hubID, "hubfs"},
}

// reachesFiles tells whether an operator's pattern speaks about files: at least as specific as the built-in rules for
// them.
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

// addFiles keeps what a pattern says about files' names. A "+" in it may be a space, when the address was copied from
// a browser.
func (rs *Rules) addFiles(p pattern, e entry) {
	if spaced, found := p.with(plusAsSpace); found {
		rs.addFiles(spaced, e)
	}
	if plain, found := p.with(WithoutMarks); found {
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

// with is a pattern with all segments changed.
func (p pattern) with(change func(string) string) (_ pattern, found bool) {
	other := pattern{text: p.text, segments: slices.Clone(p.segments)}
	for i, s := range p.segments {
		other.segments[i].text = change(s.text)
		found = found || other.segments[i].text != s.text
	}
	return other, found
}

func plusAsSpace(text string) string { return strings.ReplaceAll(text, "+", " ") }

// narrowed is a pattern as an origin compares it that does not fold letters to others.
func (p pattern) narrowed() (_ pattern, found bool) {
	text, narrowed := NarrowPath(p.text)
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

// after returns what a pattern asks of the rest of a path that begins with a segment (** may stay, so there may be
// two ways).
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

// twins returns every rule that speaks about any address of the file at path, in file order; none when path is no
// file's address. The best is the one of them with the smallest rank.
func (rs *Rules) twins(host, path string) (all []*rule, best entry) {
	best.rank = noRank
	if path == validationFile {
		return nil, best
	}
	if isTransformed(path) {
		return rs.transformed(host, path)
	}
	names := fileNames(path)
	if names == nil {
		// /hub/HUBID/file-ID: which file it is, only HubSpot knows.
		if rs.protectsFiles && isFileID(path) {
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

// isTransformed reports whether Cloudflare makes an image or a video of what the rest of the path names.
func isTransformed(path string) bool {
	return strings.HasPrefix(path, "/cdn-cgi/image/") || strings.HasPrefix(path, "/cdn-cgi/media/")
}

// transformed is twins for Cloudflare's addresses of a file, /cdn-cgi/image/OPTIONS/SOURCE. The source may be a path
// or a URL, in any spelling, so a login is needed while any file needs one, and every rule for what looks like a
// file's address in it must be satisfied.
func (rs *Rules) transformed(host, path string) (all []*rule, best entry) {
	best.rank = noRank
	if !rs.protectsFiles {
		return nil, best
	}
	best.rule = builtin("hubspot:files", login)
	all = []*rule{best.rule}
	const most = 4 // sources in one another; the work is the attacker's to choose (CWE-407)
	sources := 0
	for i := range path {
		if rest := path[i:]; strings.HasPrefix(rest, "/hubfs/") || strings.HasPrefix(rest, "/hs-fs/") ||
			strings.HasPrefix(rest, "/hub/") {
			if sources++; sources > most {
				best.rule.access = refuse
				return []*rule{best.rule}, best
			}
			more, _ := rs.twins(host, rest)
			for _, r := range more {
				if !slices.Contains(all, r) {
					all = append(all, r)
				}
			}
		}
	}
	return all, best
}

// inFiles reports whether a decoded path is an address of HubSpot's files, whose names may hold anything, or is taken
// for one by an origin that cuts parameters and streams off or ignores accents.
func inFiles(decoded string) bool {
	if underFiles(decoded) {
		return true
	}
	if isASCII(decoded) && !strings.ContainsAny(decoded, "&:") {
		return false
	}
	return underFiles(WithoutMarks(cutSegments(cutSegments(decoded, "&"), ":")))
}

func underFiles(decoded string) bool {
	const longest = len("/hs-fs/hubfs/")
	prefix := foldASCII(decoded[:min(len(decoded), longest)])
	switch {
	case strings.HasPrefix(prefix, "/hubfs/"),
		strings.HasPrefix(prefix, "/hs-fs/hubfs/"), strings.HasPrefix(prefix, "/hs-fs/hub/"):
		return true
	}
	return strings.HasPrefix(prefix, "/hub/") && belowHubID(decoded[len("/hub"):]) != "" // else it is a page's
}

// fileNames lists what the file at a folded path may be called, as paths, none when the path is no file's address. The
// segment in front may be the HubID or a folder, so both are possible.
func fileNames(path string) []string {
	rest, _ := strings.CutPrefix(path, "/hs-fs")
	if name, found := strings.CutPrefix(rest, "/hubfs/"); found {
		return withoutHubID([]string{"/" + name})
	}
	name, found := strings.CutPrefix(rest, "/hub")
	if name = belowHubID(name); !found || name == "" || strings.HasPrefix(name, "/file-") {
		return nil
	}
	names := []string{name}
	if below, found := strings.CutPrefix(name, "/hubfs/"); found {
		names = withoutHubID(append(names, "/"+below))
	}
	return names
}

// withoutHubID adds to names what the last of them is below a HubID.
func withoutHubID(names []string) []string {
	if below := belowHubID(names[len(names)-1]); below != "" {
		names = append(names, below)
	}
	return names
}

// belowHubID is what follows a path's leading HubID, "" when there is none.
func belowHubID(path string) string {
	if path == "" || path[0] != '/' {
		return ""
	}
	first, _, found := strings.Cut(path[1:], "/")
	if !found || !maybeHubID(first) {
		return ""
	}
	return path[1+len(first):]
}

// maybeHubID reports whether some parser of numbers takes a segment for a HubID: signs, zeros, underscores or
// brackets in front, digits of any script, hexadecimal and exponents, and whatever follows the digits (atoi and
// parseInt stop there).
func maybeHubID(segment string) bool {
	for _, r := range segment {
		if unicode.IsNumber(r) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}

func isFileID(path string) bool {
	rest, _ := strings.CutPrefix(path, "/hs-fs")
	name, found := strings.CutPrefix(rest, "/hub")
	return found && strings.HasPrefix(belowHubID(name), "/file-")
}

func isNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
