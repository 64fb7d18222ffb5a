package urlpath

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestParsePreviewParams(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]PreviewParams{
		"hs_preview=k": Preview, "a=b&hs_preview_key": Preview, "HSDEBUG=1": Debug,
		"x;hsCacheBuster":      Debug,
		"developerMode[]=true": Debug, "developerMode[a][b]=true": Debug,
		"a=1&hs_preview=2&hsDebug": Preview | Debug,
		// Escapes of IIS, of several layers, broken ones beside the name or in the value.
		"%u0068s_preview=1": Preview, "hs%U005fpreview=1": Preview, "hs%255fpreview": Preview,
		"%2568sDebug=1":      Debug,
		"hs%25255f%70review": Preview, "%25%36%38sDebug": Debug, "%25u0068sdebug": Debug,
		"hs_preview=%zz": Preview,
		"hs%64ebug%=1":   Debug, "a=%&hs%5fpreview=%e9": Preview, "%hs_preview=1": Preview,
		// Characters around or after the name.
		"hs_preview%00=1": Preview, "hs_preview%00x=1": Preview, "hs_%01preview=1": Preview,
		"+hsdebug+=1":     Debug,
		"%20hs_preview=1": Preview, "%09hsDebug%0a": Debug, "%EF%BB%BFhs_preview=1": Preview,
		"hs_pre%E2%80%8Bview": Preview,
		"\"hs_preview\"=1":    Preview, "hs_preview%5B%5D=1": Preview, "hs_preview[=1": Preview,
		"hs_preview]=1": Preview,
		// What PHP and others take for an underscore, and what Unicode normalisation takes for ASCII.
		"hs.preview=1": Preview, "hs+preview=1": Preview, "hs[preview=1": Preview,
		"hs%2Epreview%2Ekey":   Preview,
		"%EF%BD%88s_preview=1": Preview, "h%C5%BFDebug=1": Debug, "hs_pr%E2%84%AFview": Preview,
		"developerM%C2%BAde":  Debug,
		"%EF%BC%8568sDebug=1": Debug, "hs%EF%BC%BFpreview": Preview, "hs_prev%C4%B1ew": Preview,
		// A second query, a fragment, separators that are escaped.
		"a=1?hs_preview=x": Preview, "a=1%3Fhs_preview=x": Preview, "a%23hsDebug=x": Debug,
		"a=1%26hs_preview=x": Preview,
		"a=1%253BhsDebug":    Debug, "a=1&amp;hs_preview=x": Preview, "a=1%EF%BC%86hs_preview=x": Preview,
		"hs_preview%3Dx": Preview,
		"hs_preview[" + strings.Repeat("x", 300) + "]=1": Preview,
		strings.Repeat("+", 300) + "hsDebug=1":           Debug,
		strings.Repeat("%00", 500) + "hs_preview":        Preview, "hs_preview=" + strings.Repeat("x",
			9000): Preview,
		// No parameters.
		"": 0, "q=hsDebug": 0, "q=%3DhsDebug": 0, "hsdebugger=1": 0, "xhs_preview=1": 0, "hs_previews=1": 0,
		"q=a+hsDebug=1": 0,
		"utm_source=a&utm_medium=b;c&utm_content=%zz": 0, "hs_debug=1": 0, "preview=1&debug=1": 0,
		"q=100%25+hs_preview": 0, "%": 0, "&;?#=": 0,
	} {
		if got := ParsePreviewParams(query); got != want {
			t.Errorf("%.60q: %d, want %d", query, got, want)
		}
	}
}

func TestParsePreviewParamsDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100,
		func() { ParsePreviewParams("utm_source=mail&utm_medium=x;y&hsa_acc=1&page=2") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// queryReaders return the names of the parameters that some origin finds in a query.
var queryReaders = map[string]func(string) []string{
	"net/url": func(q string) []string {
		values, _ := url.ParseQuery(q)
		var names []string
		for name := range values {
			names = append(names, name)
		}
		return names
	},
	"two separators, decoded twice": func(q string) []string { return splitNames(q, "&;", twice) },
	"decoded before it is split": func(q string) []string {
		return splitNames(twice(q), "&", strings.TrimSpace)
	},
	"normalised": func(q string) []string {
		return splitNames(q, "&", func(s string) string { return strings.TrimSpace(norm.NFKC.String(twice(s))) })
	},
	"PHP": func(q string) []string {
		return splitNames(q, "&", func(s string) string {
			s, _, _ = strings.Cut(strings.TrimLeft(once(s), " "), "\x00")
			return strings.NewReplacer(".", "_", " ", "_").Replace(s)
		})
	},
}

func splitNames(query, separators string, read func(string) string) []string {
	var names []string
	for _, pair := range strings.FieldsFunc(query, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, read(name))
	}
	return names
}

func once(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func twice(s string) string { return once(once(s)) }

func FuzzParsePreviewParams(f *testing.F) {
	for _, seed := range []string{"hs_preview=1", "a;hsDebug", "%2568s_preview", "h%EF%BD%93debug",
		"a.b%00=c&hs.preview", "x%3Bhs%64ebug"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		params := ParsePreviewParams(query)
		if got := ParsePreviewParams("x=y&" + query); got != params {
			t.Fatalf("%q: %b, behind another parameter %b", query, params, got)
		}
		if got := ParsePreviewParams(query + "&hsdebug"); got&Debug == 0 || got&params != params {
			t.Fatalf("%q hides a parameter", query)
		}
		for reader, read := range queryReaders {
			for _, name := range read(query) {
				if want := paramOf([]byte(strings.ToLower(name))); params&want != want {
					t.Fatalf("%q: %s reads %q, and no parameter was found", query, reader, name)
				}
			}
		}
	})
}

func TestPreviewParamsWithInvisibleCharacters(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"hs_pre%E2%81%A5view", "hs_%EF%B7%90preview", "hs%F0%9F%BF%BE_preview",
		"hs_previe%F0%9D%85%B3w", "hs_pr\u0301eview", "hs_preview\u2028"} {
		if ParsePreviewParams(query) != Preview {
			t.Errorf("%s: no parameter found", query)
		}
	}
}

func TestPreviewParamsInOverlongEncoding(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]PreviewParams{"%C1%A8s_preview": Preview, "hs%C1%9Fpreview": Preview,
		"hs%E0%81%84ebug": Debug, "hs%25C1%259Fpreview=1": Preview, "a%C0%A6hsdebug": Debug,
		"%F0%80%81%A8sdebug": Debug, "%C0%A568sdebug": Debug, "hs%E9preview": 0} {
		if got := ParsePreviewParams(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
