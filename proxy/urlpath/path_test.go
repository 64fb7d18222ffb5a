package urlpath

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// parsedPaths are request paths, with the canonical path or the reason why each is refused.
var parsedPaths = []struct{ raw, folded, refused string }{
	{"/", "/", ""},
	{"/members/area", "/members/area", ""},
	{"/MEMBERS/Area/", "/members/area", ""},
	{"/%6dembers/%41rea", "/members/area", ""},
	{"/members/a%20b", "/members/a b", ""},
	{"/hubfs/%C3%84rger.pdf", "/hubfs/ärger.pdf", ""},
	{"/hubfs/A%CC%88rger.pdf", "/hubfs/ärger.pdf", ""},
	{"/hubfs/\xc3\x84rger.pdf", "/hubfs/ärger.pdf", ""},
	{"/caf%C3%A9", "/café", ""},
	{"/stra%C3%9Fe", "/strasse", ""},
	{"/%C4%B1nfo", "/info", ""},
	{"/%C4%B0nfo", "/info", ""},
	{"/100%25", "/100%", ""},
	{"/100%25-off", "/100%-off", ""},
	{"/50%25bio", "/50%bio", ""},
	{"/a+b~c,d(e)'f'@g:h!$&=*", "/a+b~c,d(e)'f'@g:h!$&=*", ""},
	{"/.well-known/x", "/.well-known/x", ""},
	{"/a..b/..c", "/a..b/..c", ""},

	{"", "", notAbsolute}, {"members", "", notAbsolute}, {"*", "", notAbsolute},
	{"/" + strings.Repeat("a", maxPath), "", tooLong}, {strings.Repeat("/a", maxSegments+1), "", tooDeep},
	{"/a%", "", badEscape}, {"/a%2", "", badEscape}, {"/a%zz", "", badEscape}, {"/%u002e", "", badEscape},
	{"/a%2541", "", doubleEncoding}, {"/a%252f", "", doubleEncoding}, {"/a%25252f", "", doubleEncoding},
	{"/a%25%34%31", "", doubleEncoding},
	{"/a%25u002f", "", doubleEncoding}, {"/a%%32f", "", badEscape},
	{"/a%2fb", "", encodedSlash}, {"/a%2Fb", "", encodedSlash}, {"/a%5cb", "", encodedSlash},
	{`/a\b`, "", backslash},
	{"/a%00", "", control}, {"/a%0d%0a", "", control}, {"/a%7f", "", control}, {"/a%C2%85", "", control},
	{"/a b", "", control}, {"/a\tb", "", control},
	{"/a;b", "", parameter}, {"/a%3bb", "", parameter}, {"/..;/a", "", parameter},
	{"/a%3fb", "", delimiter}, {"/a%23b", "", delimiter}, {"/a#b", "", delimiter},
	{"/.", "", dotSegment}, {"/..", "", dotSegment}, {"/a/./b", "", dotSegment}, {"/a/../b", "", dotSegment},
	{"/a/%2e%2e/b", "", dotSegment},
	{"/a/.%2e/b", "", dotSegment}, {"/a/%2e", "", dotSegment}, {"/a/..", "", dotSegment},
	{"//", "", emptySegment}, {"//a", "", emptySegment}, {"/a//b", "", emptySegment}, {"/a//", "", emptySegment},
	{"/a.", "", edge}, {"/a./b", "", edge}, {"/a%20", "", edge}, {"/a%20/b", "", edge}, {"/%20a", "", edge},
	{"/...", "", edge},
	{"/%c0%af", "", badUTF8}, {"/%e9", "", badUTF8}, {"/%ed%a0%80", "", badUTF8}, {"/\xff", "", badUTF8},
	{"/%EF%BD%8Dembers", "", compatibility}, {"/%E2%84%AAey", "", compatibility},
	{"/member%C5%BF", "", compatibility},
	{"/%EF%BC%8Fa", "", compatibility}, {"/%EF%BC%8E%EF%BC%8E", "", compatibility},
	{"/a%CD%BEb", "", compatibility}, {"/%E2%93%9Cembers", "", compatibility},
	{"/mem%E2%80%8Bbers", "", invisible}, {"/mem%C2%ADbers", "", invisible}, {"/a%E2%80%AEb", "", invisible},
	{"/a%C2%A0b", "", invisible},
	{"/a%E3%80%80", "", invisible}, {"/a%EF%B8%8F", "", invisible}, {"/a%EF%BB%BF", "", invisible},
	{"/a%EF%BF%BD", "", invisible},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range parsedPaths {
		p, err := Parse(c.raw)
		var refused *Error
		reason := ""
		if errors.As(err, &refused) {
			reason = refused.Reason
		}
		if p.String() != c.folded || reason != c.refused {
			t.Errorf("%q: %q, refused %q; want %q, refused %q", c.raw, p, reason, c.folded, c.refused)
		}
	}
}

func TestReasonsAreComplete(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, reason := range Reasons() {
		listed[reason] = true
	}
	for _, raw := range []string{"", "/%", "/%2541", "/%2f", `/\`, "/%00", "/;", "/%3f", "/..", "//", "/a.", "/%ff",
		"/%E2%84%AA", "/%E2%80%8B", strings.Repeat("/a", 300), "/" + strings.Repeat("a", 9000)} {
		_, err := Parse(raw)
		if bad := (*Error)(nil); !errors.As(err, &bad) || !listed[bad.Reason] {
			t.Errorf("%.20q: %v is not listed", raw, err)
		}
	}
}

func TestUnderMatchesWholeSegments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, rest string
		ok         bool
	}{
		{"/oauth2", "", true}, {"/oauth2/", "", true}, {"/OAuth2/Start", "start", true}, {"/%6fauth2/a/b", "a/b", true},
		{"/oauth2x", "", false}, {"/oauth", "", false}, {"/a/oauth2", "", false},
	} {
		p, err := Parse(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := p.Under("/oauth2"); rest != c.rest || ok != c.ok {
			t.Errorf("%s: %q, %t; want %q, %t", c.path, rest, ok, c.rest, c.ok)
		}
	}
}

func TestParseTargetRefusesOtherForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, target string
		ok             bool
	}{
		{"GET", "/a?b;c=d#", false}, {"GET", "/a#b", false}, {"GET", "/a?b;c=%2f/../", true},
		{"GET", "http://www.example.com/a", true}, {"GET", "http://www.example.com", true},
		{"GET", "https://www.example.com/a?b", true},
		{"GET", "http://www.example.com/a/../b", false}, {"GET", "http://evil@www.example.com/a", false},
		{"GET", "ftp://www.example.com/a", false},
		{"OPTIONS", "*", false}, {"GET", "*", false}, {"CONNECT", "www.example.com:443", false},
		{"CONNECT", "/a", false},
		{"GET", "//www.example.com/a", false}, {"GET", "/a?q=b c", false}, {"GET", "/a?q=\x7f", false},
		{"GET", "/a?q=\xe4", true},
	} {
		r := &http.Request{Method: c.method, RequestURI: c.target, Host: "www.example.com"}
		var err error
		if r.URL, err = url.ParseRequestURI(c.target); err != nil {
			r.URL = &url.URL{Host: c.target}
		}
		if _, err := ParseTarget(r); (err == nil) != c.ok {
			t.Errorf("%s %s: %v, want ok %t", c.method, c.target, err, c.ok)
		}
	}
	r := httptest.NewRequest("GET", "http://other.example.com/a", nil)
	r.RequestURI, r.Host = "http://other.example.com/a", "www.example.com"
	if _, err := ParseTarget(r); err == nil {
		t.Error("a target for another host was taken")
	}
}

func TestParseOfPlainPathDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Parse("/members/handbook/chapter-1.html") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// spellings returns spellings of a folded path that a lenient origin takes for it.
func upper(s string) string { return strings.ToUpper(s) }

func escapeAll(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '/' {
			b.WriteByte('/')
			continue
		}
		b.WriteByte('%')
		b.WriteByte("0123456789abcdef"[s[i]>>4])
		b.WriteByte("0123456789abcdef"[s[i]&15])
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"/", "/a/b", "/A%20b", "/%c3%84", "/a%CC%88", "/%E0%B8%B3", "/x%2541", "/..%2f",
		"/a;b", "/İı", "/ﬁ", "/%25", "/á\u0307"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := Parse(raw)
		if err != nil || len(raw) > maxPath/3 { // escaped throughout, a longer one would be too long
			return
		}
		again, err := Parse(p.Escaped())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q: judged again: %+v, %v; want %+v", raw, again, err, p)
		}
		for i := 0; i < len(p.escaped); i++ {
			if c := p.escaped[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '?' || c == '#' {
				t.Fatalf("%q: forwards %q", raw, p.escaped)
			}
		}
		if !utf8.ValidString(p.folded) || strings.Contains(p.folded, "//") || strings.Contains(p.folded+"/", "/./") ||
			strings.Contains(p.folded+"/", "/../") {
			t.Fatalf("%q: matched as %q", raw, p.folded)
		}
		decoded, err := url.PathUnescape(p.escaped)
		if err != nil {
			t.Fatalf("%q: forwards %q, which cannot be decoded", raw, p.escaped)
		}
		for _, reading := range p.Readings() {
			if bad := checkSegments(reading); bad != "" || strings.Contains(reading, "\x00") {
				t.Fatalf("%q: may be read as %q (%s)", raw, reading, bad)
			}
		}
		if ambiguous(decoded) != "" { // a file with an odd name, judged by all its readings
			if !InFiles(decoded) {
				t.Fatalf("%q: was taken", raw)
			}
			return
		}
		if strings.Contains(p.escaped, ";") {
			t.Fatalf("%q: forwards %q", raw, p.escaped)
		}
		if twice, err := url.PathUnescape(decoded); err == nil && twice != decoded {
			t.Fatalf("%q: decodes to %q and again to %q", raw, decoded, twice)
		}
		// Another spelling of the same characters is the same path.
		if other, err := Parse(escapeAll(decoded)); err != nil || other.folded != p.folded {
			t.Fatalf("%q: escaped throughout it is %q, %v; want %q", raw, other.folded, err, p.folded)
		}
		// What an origin sees that changes letters to upper or lower case is the same path, or would not have been
		// taken.
		for _, change := range []func(string) string{upper, strings.ToLower} {
			if other, err := Parse(escapeAll(change(decoded))); err == nil && other.folded != p.folded {
				t.Fatalf("%q: in another case it is %q, want %q", raw, other.folded, p.folded)
			}
		}
	})
}
