package pattern

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTakesAmbiguousFileNames(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"/hubfs/Acme™/**": true, "/hubfs/a;b": true, "/hubfs/c%23/**": true,
		"/hubfs/My%2520File.pdf": true, "/hubfs/what%3f*": true, "/hubfs/a+b": true,
		"/hubfs/pri\u200bvate/**": false, "/hubfs/a\u00a0b/**": false, "/hubfs/private /**": false,
		"/hubfs/private./**": false, "/hubfs/a%2fb": false, "/hubfs/..;/a": false, "/members;a": false,
		"/Acme™": false} {
		if _, bad := Parse(text); (bad == nil) != ok {
			t.Errorf("%q: %v, want ok %t", text, bad, ok)
		}
	}
}

func TestPatternForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, folded string
		simple       bool
		above        []string // of a simple pattern
	}{
		{"/", "/", true, []string{"/**"}},
		{"/Members/", "/members", true, []string{"/**", "/members/**"}},
		{"/A b/c/**", "/a b/c/**", true, []string{"/**", "/a b/**"}},
		{"/a/*/c", "/a/*/c", false, nil},
		{"/**/c", "/**/c", false, nil},
	} {
		p := parsed(t, c.text)
		if p.String() != c.text || p.Folded() != c.folded || p.Simple() != c.simple {
			t.Errorf("%s: %s %s %t", c.text, p, p.Folded(), p.Simple())
		}
		if c.simple {
			if d := cmp.Diff(c.above, p.Above()); d != "" {
				t.Errorf("%s: %s", c.text, d)
			}
		}
	}
	if below, p := Below("/a/b"), parsed(t, "/a/b/**"); below.Folded() != p.Folded() || below.Compare(p) != 0 {
		t.Errorf("Below: %s", below.Folded())
	}
}

func TestWithoutHubID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/hubfs/2024/**": "/hubfs/** 2024", "/hubfs/2024/Reports/**": "/hubfs/Reports/** 2024",
		"/hs-fs/hubfs/7/a.pdf": "/hubfs/a.pdf 7", "/hubfs/20*/**": "/hubfs/** 20*",
		"/hubfs/2024": " ", "/hubfs/a/2024/**": " ", "/hub/7/hubfs/8/**": " ", "/hubfs/year-2024/**": " ", "/a/1/b": " ",
	} {
		if p, folder := parsed(t, text).WithoutHubID(); p.String()+" "+folder != want {
			t.Errorf("%s: %s %s, want %s", text, p, folder, want)
		}
	}
}

// FuzzParse checks that a mistake has a text and a cure, and that a pattern's folded form is the same pattern.
func FuzzParse(f *testing.F) {
	for _, p := range []string{"/a/**", "/*", "/**/x", "/a b", "https://x/y", "/%25", "/a*b*c"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, bad := Parse(text)
		if bad != nil {
			if bad.Text == "" || bad.Cure == "" {
				t.Fatalf("%q: %+v", text, bad)
			}
			return
		}
		again, bad := Parse(strings.NewReplacer("%", "%25", "?", "%3f", "|", "%7c").Replace(p.Folded()))
		if bad == nil && again.Folded() != p.Folded() {
			t.Fatalf("%q: %q, again %q", text, p.Folded(), again.Folded())
		}
	})
}
