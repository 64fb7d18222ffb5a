package proxy

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestParseDoorsReadsNamesAsAnyOriginMight(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]Doors{
		"hs_preview=k": PreviewDoor, "a=b&hs_preview_key": PreviewDoor, "HSDEBUG=1": DebugDoor,
		"x;hsCacheBuster":      DebugDoor,
		"developerMode[]=true": DebugDoor, "developerMode[a][b]=true": DebugDoor,
		"a=1&hs_preview=2&hsDebug": PreviewDoor | DebugDoor,
		// Escapes of IIS, of several layers, broken ones beside the name or in the value.
		"%u0068s_preview=1": PreviewDoor, "hs%U005fpreview=1": PreviewDoor, "hs%255fpreview": PreviewDoor,
		"%2568sDebug=1":      DebugDoor,
		"hs%25255f%70review": PreviewDoor, "%25%36%38sDebug": DebugDoor, "%25u0068sdebug": DebugDoor,
		"hs_preview=%zz": PreviewDoor,
		"hs%64ebug%=1":   DebugDoor, "a=%&hs%5fpreview=%e9": PreviewDoor, "%hs_preview=1": PreviewDoor,
		// What stands around the name, or ends it.
		"hs_preview%00=1": PreviewDoor, "hs_preview%00x=1": PreviewDoor, "hs_%01preview=1": PreviewDoor,
		"+hsdebug+=1":     DebugDoor,
		"%20hs_preview=1": PreviewDoor, "%09hsDebug%0a": DebugDoor, "%EF%BB%BFhs_preview=1": PreviewDoor,
		"hs_pre%E2%80%8Bview": PreviewDoor,
		"\"hs_preview\"=1":    PreviewDoor, "hs_preview%5B%5D=1": PreviewDoor, "hs_preview[=1": PreviewDoor,
		"hs_preview]=1": PreviewDoor,
		// What PHP and others take for an underscore, and what Unicode normalisation takes for ASCII.
		"hs.preview=1": PreviewDoor, "hs+preview=1": PreviewDoor, "hs[preview=1": PreviewDoor,
		"hs%2Epreview%2Ekey":   PreviewDoor,
		"%EF%BD%88s_preview=1": PreviewDoor, "h%C5%BFDebug=1": DebugDoor, "hs_pr%E2%84%AFview": PreviewDoor,
		"developerM%C2%BAde":  DebugDoor,
		"%EF%BC%8568sDebug=1": DebugDoor, "hs%EF%BC%BFpreview": PreviewDoor, "hs_prev%C4%B1ew": PreviewDoor,
		// A second query, a fragment, separators that are escaped.
		"a=1?hs_preview=x": PreviewDoor, "a=1%3Fhs_preview=x": PreviewDoor, "a%23hsDebug=x": DebugDoor,
		"a=1%26hs_preview=x": PreviewDoor,
		"a=1%253BhsDebug":    DebugDoor, "a=1&amp;hs_preview=x": PreviewDoor, "a=1%EF%BC%86hs_preview=x": PreviewDoor,
		"hs_preview%3Dx": PreviewDoor,
		"hs_preview[" + strings.Repeat("x", 300) + "]=1": PreviewDoor,
		strings.Repeat("+", 300) + "hsDebug=1":           DebugDoor,
		strings.Repeat("%00", 500) + "hs_preview":        PreviewDoor, "hs_preview=" + strings.Repeat("x",
			9000): PreviewDoor,
		// No doors.
		"": 0, "q=hsDebug": 0, "q=%3DhsDebug": 0, "hsdebugger=1": 0, "xhs_preview=1": 0, "hs_previews=1": 0,
		"q=a+hsDebug=1": 0,
		"utm_source=a&utm_medium=b;c&utm_content=%zz": 0, "hs_debug=1": 0, "preview=1&debug=1": 0,
		"q=100%25+hs_preview": 0, "%": 0, "&;?#=": 0,
	} {
		if got := ParseDoors(query); got != want {
			t.Errorf("%.60q: %d, want %d", query, got, want)
		}
	}
}

func TestParseDoorsOfAPlainQueryDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { ParseDoors("utm_source=mail&utm_medium=x;y&hsa_acc=1&page=2") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// queryReaders are origins: each returns the names of the parameters that it reads.
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

func FuzzParseDoors(f *testing.F) {
	for _, seed := range []string{"hs_preview=1", "a;hsDebug", "%2568s_preview", "h%EF%BD%93debug",
		"a.b%00=c&hs.preview", "x%3Bhs%64ebug"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		doors := ParseDoors(query)
		if got := ParseDoors("x=y&" + query); got != doors {
			t.Fatalf("%q: %b, behind another parameter %b", query, doors, got)
		}
		if got := ParseDoors(query + "&hsdebug"); got&DebugDoor == 0 || got&doors != doors {
			t.Fatalf("%q hides a door", query)
		}
		for reader, read := range queryReaders {
			for _, name := range read(query) {
				if want := doorOf([]byte(strings.ToLower(name))); doors&want != want {
					t.Fatalf("%q: %s reads %q, and no door was found", query, reader, name)
				}
			}
		}
	})
}

func TestDoorsAreFoundBehindCharactersThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"hs_pre%E2%81%A5view", "hs_%EF%B7%90preview", "hs%F0%9F%BF%BE_preview",
		"hs_previe%F0%9D%85%B3w", "hs_pr\u0301eview", "hs_preview\u2028"} {
		if ParseDoors(query) != PreviewDoor {
			t.Errorf("%s opens no door", query)
		}
	}
}
