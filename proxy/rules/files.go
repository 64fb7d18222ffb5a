package rules

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// HubSpot serves one file at several addresses: /hubfs/P, /hubfs/HUBID/P, the resized /hs-fs/hubfs/P, the older
// /hub/HUBID/... A rule for one of them must hold for all, or another address would bypass it. So the rules for files
// are also kept by what they say about a file's name, and a request for a file must satisfy all that match its name.

// fileRules are the rules for any address of a file, and the best of them with its rank.
type fileRules struct {
	all  []*rule
	best *rule
	rank int
}

// fileRules returns the rules for any address of the file at path, in file order. It returns none if path is not the
// address of a file.
func (rs *Set) fileRules(host, path string) fileRules {
	if path == validationFile {
		return fileRules{}
	}
	if urlpath.IsTransformed(path) {
		return rs.transformed(host, path)
	}
	names := urlpath.FileNames(path)
	if names == nil {
		// Only HubSpot knows which file /hub/HUBID/file-ID is.
		if rs.protectsFiles && urlpath.IsFileID(path) {
			return onlyRule(builtin("hubspot:files", login))
		}
		return fileRules{}
	}
	found := fileRules{rank: noRank}
	visit := func(rank int) {
		r := rs.byRank[rank]
		if rank < found.rank {
			found.best, found.rank = r, rank
		}
		found.add(r)
	}
	for _, name := range names {
		rs.files.Each(host, name, visit)
	}
	slices.SortFunc(found.all, func(a, b *rule) int { return a.index - b.index })
	return found
}

// onlyRule returns one rule, which has no place in the order of specificity.
func onlyRule(r *rule) fileRules { return fileRules{all: []*rule{r}, best: r, rank: noRank} }

func (f *fileRules) add(r *rule) {
	if !slices.Contains(f.all, r) {
		f.all = append(f.all, r)
	}
}

// transformed is fileRules for Cloudflare's addresses of a file, /cdn-cgi/image/OPTIONS/SOURCE. The source may be a
// path or a URL in any spelling, so it needs a login if any file does, and must satisfy the rules of everything in it
// that looks like the address of a file.
func (rs *Set) transformed(host, path string) fileRules {
	if !rs.protectsFiles {
		return fileRules{}
	}
	found := onlyRule(builtin("hubspot:files", login))
	const most = 4 // sources inside one another: the path decides how much work this is (CWE-407)
	sources := 0
	for i := range path {
		if rest := path[i:]; strings.HasPrefix(rest, "/hubfs/") || strings.HasPrefix(rest, "/hs-fs/") ||
			strings.HasPrefix(rest, "/hub/") {
			if sources++; sources > most {
				found.best.access = refuse
				return onlyRule(found.best)
			}
			for _, r := range rs.fileRules(host, rest).all {
				found.add(r)
			}
		}
	}
	return found
}
