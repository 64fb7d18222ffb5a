package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/text/unicode/norm"
)

const secret = "THE-SECRET-PAGE"

// lenient is an origin that reads paths in every known way, and serves the protected page for every path that can be
// taken for it.
type lenient struct{ served, leaked atomic.Int64 }

func (l *lenient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.served.Add(1)
	for _, target := range []string{r.RequestURI, r.Header.Get("X-Original-Url"), r.Header.Get("X-Rewrite-Url"),
		r.Header.Get("X-Forwarded-Uri")} {
		if forgiving(target) {
			l.leaked.Add(1)
			io.WriteString(w, secret)
			return
		}
	}
	io.WriteString(w, "public")
}

// forgiving decodes repeatedly, folds case and width, drops parameters, fragments and invisible characters, merges
// slashes and backslashes, resolves dot segments, and then looks for the page.
func forgiving(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	for range 4 {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "%u002f", "/"), "%c0%af", "/")
		if next, err := url.PathUnescape(path); err == nil {
			path = next
		}
		if i := strings.IndexAny(path, "#?\x00"); i >= 0 {
			path = path[:i]
		}
		path = strings.ToLower(strings.ToUpper(norm.NFKC.String(path)))
		path = strings.NewReplacer(`\`, "/", "\u200b", "", "\u00ad", "", "\ufeff", "", "\u0307", "", "ı", "i", "∕",
			"/").Replace(path)
	}
	if i := strings.Index(path, "://"); i >= 0 {
		_, path, _ = strings.Cut(path[i+3:], "/")
	}
	var parts []string
	for _, part := range strings.Split(path, "/") {
		part, _, _ = strings.Cut(part, ";")
		switch part = strings.TrimRight(strings.Trim(part, " \t\r\n\v"), "."+" "); {
		case part == "" && strings.Contains(path, ".."):
			if strings.Contains(path, "/../") && len(parts) > 0 {
				parts = parts[:len(parts)-1]
			}
		case part != "":
			parts = append(parts, part)
		}
	}
	return len(parts) >= 2 && parts[len(parts)-2] == "members" && strings.HasPrefix(parts[len(parts)-1], "secret")
}

// corpus returns spellings of /members/secret, most of them attacks.
func corpus() []string {
	seen := map[string]bool{}
	var all []string
	add := func(s string) {
		if !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	pages := []string{"/members/secret", "/MEMBERS/SECRET", "/Members/Secret", "/mEmBeRs/sEcReT"}
	for i := range "members/secret" { // one letter, or one letter on, in other clothes
		c := "members/secret"[i]
		for _, other := range []string{fmt.Sprintf("%%%02x", c), fmt.Sprintf("%%%02X", c), fmt.Sprintf("%%25%02x", c),
			fmt.Sprintf("%%2525%02x", c), fmt.Sprintf("%%u00%02x", c),
			strings.ToUpper(string(c)), url.PathEscape(string(rune(c) + 0xfee0)), string(rune(c) + 0xfee0),
			fmt.Sprintf("%%c1%%%02x", c+0x40)} {
			pages = append(pages, "/"+"members/secret"[:i]+other+"members/secret"[i+1:])
		}
	}
	pages = append(pages, "/member%C5%BF/%C5%BFecret", "/members/secre%EF%BD%94", "/mem%E2%80%8Bbers/secret",
		"/members%2fsecret", "/members%5csecret", `/members\secret`,
		"/members%c0%afsecret", "/members%252fsecret", "/members%EF%BC%8Fsecret", "/members%E2%88%95secret",
		"/%6d%65%6d%62%65%72%73/%73%65%63%72%65%74")
	fronts := []string{"", "/", "//", "/.", "/./", "/x/..", "/public/..", "/public/%2e%2e", "/public/.%2e",
		"/public/..%2f..", "/public/..;", "/public/..%3b", "/public/x/../..", "/%2e",
		"/public%2f..", "/public/%2e%2e%2f..", `/public/..\..`, "/public/..%5c", "/;a=b", "/public/..%00",
		"/public/..%20", "/public/%252e%252e", "/%20", "/public/..%c0%af..", "http://www.example.com",
		"https://www.example.com", "http://evil.example", "http://www.example.com:80", "//www.example.com",
		"/http://www.example.com", "/public/%c0%ae%c0%ae", "/public/%u002e%u002e"}
	tails := []string{"", "/", "//", "/.", "/..", "/%2e", ";", ";a=b", "%3b", "%3ba", "%00", "%00.css", "%20", "%09",
		"%0a", ".", "%2e", "..", "...", "?", "?a=b", "?a;b", "#", "#a", "%23", "%3f", "%3fa=b",
		"/;/", "/..;/", "/x/..", "/x/%2e%2e", "%2f", "%5c", `\`, "%c2%a0", "%e2%80%8b", "%ef%bb%bf", "%ad", "%ff", "%",
		"%2", "%u0000", "&", ",", "~", "*", ".html", ".css", ".json", "/index.html", "?hs_preview=1", "%0d%0aX:y"}
	for _, page := range pages {
		for _, front := range fronts {
			add(front + page)
		}
	}
	for _, page := range pages[:8] {
		for _, front := range []string{"", "/public/..", "/", "/%2e"} {
			for _, tail := range tails {
				add(front + page + tail)
			}
		}
	}
	for _, gap := range []string{"//", "/./", "/%2e/", "/x/../", "/;/", "/.;/", "/%20/", "/%00/", `/\`, "%2f/", "/%2f",
		"/%5c", "/ ", "/%09", "/..%2fmembers/", "/.%2e/members/"} {
		for _, page := range []string{"/members" + gap + "secret", "/MEMBERS" + gap + "secret", "/public" + gap +
			"../members/secret", "/public/.." + gap + "members" + gap + "secret"} {
			add(page)
		}
	}
	return all
}

func leakStage(t *testing.T, h2 bool) (*stage, *lenient) {
	l := &lenient{}
	origin := httptest.NewServer(l)
	t.Cleanup(origin.Close)
	return newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"), publicRule("/members/join")),
		h2: h2}), l
}

func TestSpellingsOverHTTP1OpenNoProtectedPage(t *testing.T) {
	t.Parallel()
	s, l := leakStage(t, false)
	all := corpus()
	if len(all) < 2000 {
		t.Fatalf("only %d spellings", len(all))
	}
	workers(all, func(target string) {
		for _, headers := range []string{"", "X-Original-URL: /members/secret\r\nX-Rewrite-Url: /members/secret\r\n" +
			"X_Original_Url: /members/secret\r\nX-Forwarded-Uri: /members/secret\r\nX-HTTP-Method-Override: GET\r\n"} {
			got := s.raw(t, "GET "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n"+headers+"Connection: close\r\n\r\n")
			if strings.Contains(got, secret) {
				t.Errorf("LEAK: %q", target)
			}
			if got != "" && !strings.HasPrefix(got, "HTTP/1.1 2") && !strings.HasPrefix(got, "HTTP/1.1 4") {
				t.Errorf("%q: %s", target, first(got))
			}
		}
	})
	t.Logf("%d spellings, %d reached the origin, %d leaks", len(all), l.served.Load(), l.leaked.Load())
	if l.leaked.Load() != 0 {
		t.Errorf("%d leaks", l.leaked.Load())
	}
}

func workers(all []string, do func(string)) {
	targets := make(chan string)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for target := range targets {
				do(target)
			}
		})
	}
	for _, target := range all {
		targets <- target
	}
	close(targets)
	group.Wait()
}

// Over HTTP/2 the pseudo-header is written directly, because a client library would correct it.
func TestSpellingsOverHTTP2OpenNoProtectedPage(t *testing.T) {
	t.Parallel()
	s, l := leakStage(t, true)
	conn := &h2conn{t: t, stage: s}
	for _, target := range corpus() {
		status, body := conn.get(target)
		if strings.Contains(body, secret) {
			t.Errorf("LEAK: %q", target)
		}
		if status != "" && status[0] != '2' && status[0] != '4' {
			t.Errorf("%q: %s", target, status)
		}
	}
	t.Logf("%d answers by the origin, %d leaks, %d connections", l.served.Load(), l.leaked.Load(), conn.dials)
	if l.leaked.Load() != 0 {
		t.Errorf("%d leaks", l.leaked.Load())
	}
}

// h2conn speaks HTTP/2 frame by frame.
type h2conn struct {
	t      *testing.T
	stage  *stage
	conn   io.ReadWriteCloser
	framer *http2.Framer
	stream uint32
	dials  int
}

func (c *h2conn) open() {
	conn, err := tls.Dial("tcp", c.stage.server.Listener.Addr().String(),
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	io.WriteString(conn, http2.ClientPreface)
	c.conn, c.framer, c.stream = conn, http2.NewFramer(conn, conn), 1
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.WriteSettings()
	c.dials++
}

// get returns the status, "" when the stream or the connection was ended instead, and the body.
func (c *h2conn) get(path string, more ...string) (status, body string) {
	if c.conn == nil {
		c.open()
	}
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	fields := append([]string{":method", "GET", ":scheme", "https", ":path", path, ":authority", testHost}, more...)
	for i := 0; i < len(fields); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	id := c.stream
	c.stream += 2
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte(block.String()), EndStream: true,
		EndHeaders: true})
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			c.conn.Close()
			c.conn = nil
			return status, body
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				c.framer.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			status = f.PseudoValue("status")
		case *http2.DataFrame:
			body += string(f.Data())
			c.framer.WriteWindowUpdate(0, max(1, f.Length))
		case *http2.RSTStreamFrame:
			return status, body
		}
		if h := frame.Header(); h.StreamID == id && h.Flags.Has(http2.FlagDataEndStream) &&
			(h.Type == http2.FrameData || h.Type == http2.FrameHeaders) {
			return status, body
		}
	}
}

func legitimate() []string {
	return []string{"/", "/?", "/pricing", "/pricing/", "/Pricing", "/de/preise", "/blog/tag/news", "/blog/page/2",
		"/blog/rss.xml", "/sitemap.xml", "/robots.txt", "/favicon.ico",
		"/hubfs/My%20File%20(final)%20v2.pdf", "/hubfs/%C3%9Cbersicht%202026.pdf", "/hubfs/a+b.png",
		"/hubfs/50%25%20off.png", "/hubfs/100%25bio.jpg", "/hubfs/caf%C3%A9/men%C3%BA.pdf",
		"/hubfs/Sm%C3%B8rrebr%C3%B8d.jpg",
		"/hubfs/l'%C3%A9t%C3%A9.jpg", "/hubfs/it's.png", "/hubfs/a,b", "/hubfs/a~b_c-d.e.f", "/hubfs/a@2x.png",
		"/hubfs/a:b", "/hubfs/a!b$c&d=e", "/hubfs/%5Bdraft%5D.pdf", "/hubfs/%7Bx%7D.pdf", "/hubfs/[x].pdf",
		"/hubfs/4711/logo.svg", "/hs-fs/hubfs/logo.png?width=300&height=200&name=logo.png",
		"/hs-fs/hubfs/Team%20(1).jpg?width=600&name=Team%20(1).jpg",
		"/hubfs/hub_generated/template_assets/1/123/1700000000/template_main.min.css",
		"/hubfs/hub_generated/module_assets/1/9/x.min.js", "/hs/hsstatic/cos-i18n/static-1.53/bundles/project.js",
		"/hs/hsstatic/jquery-libs/static-1.4/jquery/jquery-1.11.2.js", "/_hcms/forms/v2.js",
		"/_hcms/forms/embed/v3/form/4711/a-b-c/json?hutk=",
		"/_hcms/api/thing?portalid=1", "/hs/serverless/orders?id=7", "/_hcms/perf/v2",
		"/_hcms/mem/login?redirect_url=%2Fa%3Fb%3Dc", "/hs/manage-preferences/unsubscribe?d=AbC&v=3",
		"/hs/preferences-center/en/page?data=x",
		"/cs/c/?cta_guid=0a1b&signature=AAH%2Bx%3D%3D&placement_guid=1&click=2&hsutk=3" +
			"&canon=https%3A%2F%2Fwww.example.com%2F&portal_id=4711&redirect_url=APefjpH%2F%2Bx",
		"/e3t/Ctc/ON+113/d2Y-3v04/VWZ-k74Lq3JjW6q9Fk%5FPq1Hl-" + strings.Repeat("aZ09-_", 40) + "1-1",
		"/e3t/Btc/X+113/c1/VXy%2A04/" + strings.Repeat("Q", 800), "/.well-known/acme-challenge/abc_DEF-123",
		"/.well-known/security.txt",
		"/cdn-cgi/challenge-platform/h/b/orchestrate/jsch/v1?ray=1", "/cdn-cgi/l/email-protection",
		"/?utm_source=a&utm_medium=b;c&utm_content=%zz", "/?a;b;c", "/?q=%2e%2e%2f..%2f",
		"/?redirect=https://x/../y", "/?_hsenc=p2ANqtz-_x&_hsmi=123&utm_campaign=50%25",
		"/?a[]=1&a[]=2&x=%C3%A9&empty=&=b", "/%E4%BC%9A%E5%93%A1", "/%D0%BE-%D0%BD%D0%B0%D1%81",
		"/%E3%82%A2%E3%83%90%E3%82%A6%E3%83%88", "/%ED%9A%8C%EC%82%AC", "/%D7%90%D7%95%D7%93%D7%95%D7%AA",
		"/%D9%85%D9%86-%D9%86%D8%AD%D9%86",
		"/%E0%B8%99%E0%B9%89%E0%B8%B3", "/%E0%A4%B9%E0%A4%BF%E0%A4%82%E0%A4%A6%E0%A5%80",
		"/%CE%B5%CE%BB%CE%BB%CE%B7%CE%BD%CE%B9%CE%BA%CE%AC", "/%F0%9F%9A%B2-tour", "/stra%C3%9Fe", "/kon%C5%82o",
		"/%C4%B0stanbul", "/a_b/c-d.e/f~g", "/a(b)/c'd", "/a*b",
		"/v1.2.3/notes", "/.hidden", "/a..b", "/2026/11/24/a-very-long-" + strings.Repeat("slug-", 60) + "end"}
}
