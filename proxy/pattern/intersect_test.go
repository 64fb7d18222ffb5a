package pattern

import (
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// FuzzIntersect compares Intersects, Contains and Compare with the results of matching paths.
func FuzzIntersect(f *testing.F) {
	f.Add("/a/**", "/*/b", "/a/b")
	f.Add("/a*b/x", "/*c*b/*", "/acb/x")
	f.Add("/**/a/**", "/b/**/c", "/b/a/c")
	f.Fuzz(func(t *testing.T, one, two, raw string) {
		a, badA := Parse(one)
		b, badB := Parse(two)
		path, err := urlpath.Parse(raw)
		if badA != nil || badB != nil || len(one) > 60 || len(two) > 60 {
			return
		}
		if parts, ok := commonPath(a.segments, b.segments); ok &&
			(!plainMatch(a.segments, parts) || !plainMatch(b.segments, parts)) {
			t.Fatalf("%s and %s: %q is not matched by both", one, two, parts)
		}
		found := NewIndex([]Pattern{b}).Intersecting(a)
		if a.Intersects(b) != (len(found) == 1) {
			t.Fatalf("%s and %s intersect: %t, the index finds %v", one, two, a.Intersects(b), found)
		}
		if err != nil {
			return
		}
		parts := splitPath(path.String())
		inA, inB := plainMatch(a.segments, parts), plainMatch(b.segments, parts)
		if inA && inB && !a.Intersects(b) {
			t.Fatalf("%s and %s both match %s", one, two, path)
		}
		if inB && !inA && a.Contains(b) {
			t.Fatalf("%s contains %s, but does not match %s", one, two, path)
		}
		if a.Compare(b) != -b.Compare(a) && a.Compare(b)*b.Compare(a) > 0 {
			t.Fatalf("%s and %s: no order", one, two)
		}
	})
}

func TestRelationsOfPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p, q                 string
		contains, intersects bool
		order                int // of p and q: -1 if p is more specific
		common               string
	}{
		{"/a/**", "/a", true, true, 1, "/a"},
		{"/a/**", "/a/b/c", true, true, 1, "/a/b/c"},
		{"/a/**", "/b/**", false, false, 0, "/"},
		{"/a/*", "/*/b", false, true, -1, "/a/b"},
		{"/a*/x", "/ab*/x", true, true, 1, "/ab/x"},
		{"/**/z", "/a/**", false, true, 1, "/a/z"},
		{"/*", "/a/b", false, false, 1, "/"},
		{"/", "/**", false, true, -1, "/"},
	} {
		p, q := parsed(t, c.p), parsed(t, c.q)
		if p.Contains(q) != c.contains || p.Intersects(q) != c.intersects || p.CommonExample(q) != c.common {
			t.Errorf("%s and %s: contains %t, intersects %t, common %s",
				p, q, p.Contains(q), p.Intersects(q), p.CommonExample(q))
		}
		if order := p.Compare(q); (order < 0) != (c.order < 0) || (order > 0) != (c.order > 0) {
			t.Errorf("%s and %s: order %d, want %d", p, q, order, c.order)
		}
	}
}
