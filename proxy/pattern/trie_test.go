package pattern

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

func parsed(t testing.TB, text string) Pattern {
	t.Helper()
	p, bad := Parse(text)
	if bad != nil {
		t.Fatalf("%s: %s", text, bad.Text)
	}
	return p
}

// Matching must try each ** at most once at each segment, however many the rules have, because the time must not grow
// with a power of the path's length (CWE-407). All patterns match, so that the number of visits is the number of steps.
func TestTrieStepsAreBounded(t *testing.T) {
	t.Parallel()
	const letters = "abcdefghijklmnopqrstuvwxyz"
	path := strings.Repeat("/"+strings.Repeat(letters, 2), 60)
	for _, c := range []struct {
		name, pattern string
		patterns      int
	}{
		{"a dozen patterns", "/**/G/**/G/**/G", 12},
		{"more than one word of bits holds", "/**/G/**/*/**/G", 40},
		{"below a folder", "/" + strings.Repeat(letters, 2) + "/**/G/**/G/**/G/G", 20},
		{"with segments between", "/**/G/*/**/*/G/**/*z", 26},
		{"ending in **", "/**/G/**/*/**", 50},
	} {
		var tr Trie
		for i := range c.patterns {
			glob := strings.Repeat(letters, 2)[:i+1] + "*"
			tr.Add(parsed(t, strings.ReplaceAll(c.pattern, "G", glob)), i, nil)
		}
		visits := 0
		tr.Each("", path, func(int) { visits++ })
		if limit := c.patterns * 60; visits < c.patterns || visits > limit {
			t.Errorf("%s: %d visits, expected %d to %d", c.name, visits, c.patterns, limit)
		}
	}
}

func TestTrieFindsPatternsWithManyStars(t *testing.T) {
	t.Parallel()
	var tr Trie
	var patterns []Pattern
	for i := range 300 {
		patterns = append(patterns, parsed(t, fmt.Sprintf("/**/a/**/b%d/**/c", i)))
		tr.Add(patterns[i], i, nil)
	}
	for _, i := range []int{0, 15, 16, 63, 64, 255, 256, 299} {
		for _, format := range []string{"/a/b%d/c", "/x/a/a/y/b%d/b%[1]d/z/c", "/a/a/a/b1/b%d/c/c"} {
			path := fmt.Sprintf(format, i)
			want, _ := firstMatch(patterns, path)
			if got, ok := tr.Find("", path); !ok || got != want {
				t.Errorf("%s: %d %t, want %d", path, got, ok, want)
			}
		}
	}
}

func TestTrieFindsPatternsOfHost(t *testing.T) {
	t.Parallel()
	var tr Trie
	if !tr.Empty() {
		t.Error("a trie without patterns is not empty")
	}
	tr.Add(parsed(t, "/a/**"), 1, []string{"shop.example.com"})
	tr.Add(parsed(t, "/**"), 2, nil)
	for host, want := range map[string]int{"shop.example.com": 1, "www.example.com": 2} {
		if got, ok := tr.Find(host, "/a/b"); !ok || got != want {
			t.Errorf("%s: %d %t, want %d", host, got, ok, want)
		}
	}
}

// firstMatch returns the place of the first pattern that matches a path.
func firstMatch(patterns []Pattern, path string) (rank int, ok bool) {
	for i, p := range patterns {
		if plainMatch(p.segments, splitPath(path)) {
			return i, true
		}
	}
	return noRank, false
}

func plainMatch(pattern []segment, path []string) bool {
	switch {
	case len(pattern) == 0:
		return len(path) == 0
	case pattern[0].kind == doubleStar:
		return plainMatch(pattern[1:], path) || (len(path) > 0 && plainMatch(pattern, path[1:]))
	}
	return len(path) > 0 && plainGlob(pattern[0].text, path[0]) && plainMatch(pattern[1:], path[1:])
}

func plainGlob(glob, text string) bool {
	switch {
	case glob == "":
		return text == ""
	case glob[0] == '*':
		return plainGlob(glob[1:], text) || (text != "" && plainGlob(glob, text[1:]))
	}
	return text != "" && glob[0] == text[0] && plainGlob(glob[1:], text[1:])
}

// starMatch is doublestar.Match, except that "/a*/**" matches what "/a*" matches.
func starMatch(pattern, path string) (bool, error) {
	if whole, ok := strings.CutSuffix(pattern, "/**"); ok {
		if match, err := doublestar.Match(whole, path); match || err != nil {
			return match, err
		}
	}
	return doublestar.Match(pattern, path)
}

// FuzzTrie compares the trie with a search of all patterns, and each single pattern with doublestar.
func FuzzTrie(f *testing.F) {
	f.Add("/a/** /a/b /*/b /a/*b", "/a/b")
	f.Add("/** /a/**/c /a/*/c /**/c", "/a/b/c")
	f.Add("/a*b*c/** /ab*/x", "/abbc/x")
	f.Add("/A*B*C/* /AB*/** /AB*/X", "/AB")
	f.Add("/**/a/**/a/**/b /**/a/b /**", "/a/a/a/c")
	f.Fuzz(func(t *testing.T, list, raw string) {
		path, err := urlpath.Parse(raw)
		if err != nil || strings.ContainsAny(raw, "{}[]?!*") || len(raw) > 100 || len(list) > 200 {
			return
		}
		var tr Trie
		var patterns []Pattern
		for _, text := range strings.Fields(list) {
			p, bad := Parse(text)
			if bad != nil || strings.ContainsAny(text, "{}[]?!") {
				continue
			}
			if p.Folded() != "/" { // doublestar has no word for the root alone
				want, err := starMatch(p.Folded(), path.String())
				if got := plainMatch(p.segments, splitPath(path.String())); err != nil ||
					(got != want && path.String() != "/") {
					t.Fatalf("%s and %s: %t, doublestar says %t, %v", text, path, got, want, err)
				}
			}
			tr.Add(p, len(patterns), nil)
			patterns = append(patterns, p)
		}
		want, matches := firstMatch(patterns, path.String())
		if got, ok := tr.Find("", path.String()); got != want || ok != matches {
			t.Fatalf("%s with %s: %d %t, want %d %t", path, list, got, ok, want, matches)
		}
	})
}
