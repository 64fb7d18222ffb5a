package rules

import (
	"slices"
	"testing"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// oddNames are escaped names of files, as HubSpot serves them, that are ambiguous.
var oddNames = []string{
	"Acme%E2%84%A2.pdf", "C%23.pdf", "My%2520File.pdf", "a%C2%A0b.pdf", "a;b.pdf", "a%3Bb.pdf", "What%3F.pdf",
	"%EF%BC%A1.png", "o%EF%AC%83ce.png",
	"%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB.png", "%E2%9D%A4%EF%B8%8F.png", "soft%C2%ADhyphen.png", "%E2%84%96%201.pdf",
	"x%C2%B2.png", "%C2%BD%20price.pdf",
	"wait%E2%80%A6.pdf", "10%E2%84%83.pdf", "a%E3%80%80b.pdf", "20%25eco.png", "100%25de%20plus.pdf", "100%2541.pdf",
	"a%20/b.png", "Inc./logo.png", "%20lead.png", "%EF%BB%BFbom.csv", "x%EF%BF%BD.pdf", "a%2523b.png",
	"rtl%E2%80%8Fx.pdf", "%E2%91%A0.png", "a%CD%BEb",
	"100%25u00.png", "a+b;c%23d%E2%84%A2.png", "%E2%85%A3.pdf",
}

func TestAmbiguousFileNamesPass(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**"), loginRule("/members/**"),
		loginRule("/**/secret/**")))
	closed := compiled(t, accessRules(loginRule("/hubfs/**")))
	for _, name := range slices.Concat(oddNames, []string{"a..b", "name..pdf", "x%20.pdf", "a+b.png", "it's%20(1).pdf",
		"c++.pdf", "50%25%20%2B%2050%25.pdf", "%E3%8D%BF.png"}) {
		for _, address := range []string{"/hubfs/", "/HubFS/4711/", "/hs-fs/hubfs/", "/hub/4711/hubfs/", "/hub/4711/",
			"/hs-fs/hub/4711/a/"} {
			p, err := urlpath.Parse(address + name)
			if err != nil {
				t.Errorf("%s%s: %v", address, name, err)
				continue
			}
			if p.Escaped() != address+name {
				t.Errorf("%s%s is forwarded as %s", address, name, p.Escaped())
			}
			if d := rs.Match(testHost, p).Decide("GET", 0, nil, fixedNow); d.Kind != Public {
				t.Errorf("%s%s: %s by %s", address, name, d.Kind, d.Rule.Name)
			}
			if d := closed.Match(testHost, p).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
				t.Errorf("%s%s, with a rule for all files: %s", address, name, d.Kind)
			}
		}
	}
}

func TestAmbiguousPageNamesAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range oddNames {
		for _, address := range []string{"/", "/members/", "/hubfsx/", "/hub/members/", "/hs/hubfs/", "/hub/",
			"/%EF%BD%88ubfs/", "/hs-fsx/hubfs/", "/hs-fs/"} {
			if p, err := urlpath.Parse(address + name); err == nil {
				t.Errorf("%s%s was taken: %q", address, name, p.Readings())
			}
		}
	}
}

// Some origin reads each request as the protected file: with "+" as a space, with a HubID that only a lenient parser
// accepts, or after one more step of decoding, normalizing, cutting or trimming.
func TestReadingsOfFilesAreMatched(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**"), loginRule("/hubfs/board room/**"),
		loginRule("/hubfs/report.pdf"),
		loginRule("/members/**"), loginRule("/staff room/**"), loginRule("/hubfs/a+b room/**"),
		loginRule("/hubfs/Acme™/**"), loginRule("/hubfs/c%23/**"), loginRule("/hubfs/Sales+Kit/**")))
	targets := []string{
		"/hubfs/board+room/x", "/hubfs/4711/board+room/x", "/hs-fs/hubfs/board+room/x", "/hub/4711/board+room/x",
		"/hubfs/board%2Broom/x", "/hubfs/sales%20kit/x", "/hub/4711/sales%20kit/x", "/hubfs/board%252Broom/x",
		"/hubfs/board%C2%A0room/x", "/hubfs/board%E3%80%80room/x", "/hubfs/a%2Bb+room/x", "/hubfs/a%2Bb%20room/x",
		"/staff+room/x", "/members+/x", "/+members/x", "/members%2B",
		"/hubfs+/private/x", "/hubfs/private+/x",
		"/hubfs/private;a/x", "/hubfs/private%3Ba=b/x", "/hubfs/private;/x;y", "/hubfs/private%20/x",
		"/hubfs/private./x", "/hubfs/%20private/x", "/hubfs/private%2520/x",
		"/hubfs/pri%2576ate/x", "/hubfs/pri%252576ate/x", "/hubfs/pri%25u0076ate/x", "/hubfs/pri%25%37%36ate/x",
		"/hubfs/pri%E2%80%8Bvate/x", "/hubfs/p%C2%ADrivate/x",
		"/hubfs/%EF%BD%90rivate/x", "/hubfs/%E2%93%9Frivate/x", "/hubfs/pr%E2%85%B0vate/x", "/hubfs/private%EF%B8%8F/x",
		"/hubfs/private%EF%BC%9Bx/y", "/hubfs/private%25EF%25BB%25BF/x",
		"/hubfs/report.pdf;a", "/hubfs/report.pdf%3Fx", "/hubfs/report.pdf%23x", "/hubfs/report.pdf%2523x",
		"/hubfs/report.pdf%20", "/hubfs/report.pdf.", "/hubfs/report.pdf%EF%BC%9Fx",
		"/hubfs/report.pdf;x/y", "/hubfs/private%3F/x", "/hubfs/Acme%E2%84%A2/x", "/hubfs/acmetm/x", "/hubfs/C%23/x",
		"/hubfs/c%2523/x",
		"/hs-fs/hubfs/4711/private;v=1/x", "/hub/4711/hubfs/private%C2%A0/x", "/hub/4711/hubfs/4711/private/x",
		"/hub/4711;x/private/y",
	}
	for _, id := range []string{"123", "+123", "-123", "%2B123", "%2D123", "0123", "00000123", "1_23", "_123", "%20123",
		"123%20", "0x7b", "0X7B", "1e5", "123.0", "12.5e1", ".5e3", "123abc",
		"123L", "%D9%A1%D9%A2%D9%A3", "%E0%A5%A7%E0%A5%A8", "%EF%BC%91%EF%BC%92", "%F0%9D%9F%8F%F0%9D%9F%90", "%C2%B2",
		"%E2%91%A0", "%E2%88%92123", "%24123", "(123)", "'123'", "123;a", "%2531%2532",
		"1%E2%80%8B23", "1,234", "123%3F", "+%D9%A1"} {
		for _, address := range []string{"/hubfs/%s/private/x", "/hs-fs/hubfs/%s/private/x", "/hub/%s/private/x",
			"/hub/%s/hubfs/private/x", "/hs-fs/hub/%s/report.pdf"} {
			targets = append(targets, replace(address, id))
		}
	}
	for _, raw := range targets {
		p, err := urlpath.Parse(raw)
		if err != nil {
			continue // refused is as good
		}
		if d := rs.Match(testHost, p).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
			t.Errorf("%s is %s by %s; read as %q", raw, d.Kind, d.Rule.Name, p.Readings())
		}
	}
}

func TestReadingsWithoutRuleStayPublic(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**"), loginRule("/members/**"),
		publicRule("/members/open/**"), loginRule("/staff room/**")))
	for _, raw := range []string{"/hubfs/2026-photos/x", "/hubfs/privat/x;private", "/hubfs/a+private/x",
		"/members/open/a+b", "/staffroom+/x", "/c++/", "/hubfs/privatevate%E2%84%A2/x",
		"/e3t/Ctc/ON+113/d2Y", "/hubfs/x%23private", "/a+/b", "/+", "/hubfs/board%2520private/x",
		"/hub/2026-review/a+b"} {
		if d := rs.Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != Public {
			t.Errorf("%s is %s by %s", raw, d.Kind, d.Rule.Name)
		}
	}
}

func TestStrictestReadingDecides(t *testing.T) {
	t.Parallel()
	cfg := accessRules(loginRule("/hubfs/a;b/**"), loginRule("/hubfs/a/**", "partner"), loginRule("/hub/7/x;y",
		"staff"))
	cfg.Rules = append(cfg.Rules, RuleConfig{Path: []string{"/hubfs/m/**"}, Methods: []string{"GET"}, Access: "public"})
	rs := compiled(t, cfg)
	for _, c := range []struct {
		raw, method string
		groups      []string
		want        Kind
	}{
		{"/hubfs/a;b/x", "GET", nil, Forbid}, {"/hubfs/a;b/x", "GET", []string{"partner"}, Allow}, {"/hubfs/a;c/x",
			"GET", nil, Forbid}, {"/hubfs/b;a/x", "GET", nil, Public},
		{"/hubfs/m%23/x", "POST", nil, Refuse}, {"/hubfs/m%23/x", "GET", nil, Public}, {"/hub/7/x;y",
			"GET", nil, Forbid},
		{"/hubfs/x%3Fhs_preview=1", "GET", nil, Allow}, {"/hubfs/x%253FhsDebug", "GET", []string{"partner",
			"staff"}, Refuse}, {"/hub/7/-temporary%25-slug-1", "GET", nil, Public},
	} {
		d := rs.Match(testHost, mustPath(t, c.raw)).Decide(c.method, 0, LoggedIn(c.groups, nil, fixedNow), fixedNow)
		if d.Kind != c.want {
			t.Errorf("%s %s as %q: %s by %s, want %s", c.method, c.raw, c.groups, d.Kind, d.Rule.Name, c.want)
		}
	}
}

// oddLayers are names in which only an origin that decodes twice or normalizes finds a slash or an invalid byte.
var oddLayers = []string{"a%EF%BC%8Fb.pdf", "a%E2%88%95b", "1%E2%81%842", "a%E2%A7%B8b", "%E2%84%85.pdf", "%E2%84%80",
	"a%EF%BC%BCb", "a%252Fb.pdf", "a%255Cb.pdf", "it%2592s.pdf", "Rabatt%2020%2515%20St%C3%BCck.pdf", "50%2510.pdf",
	"10%25c0mmission.pdf", "%25u2044x.pdf", "a%252F%252Fb"}

func TestReadingsWithDoubleEncodedSlash(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**"), loginRule("/hubfs/*secret*"),
		loginRule("/hubfs/it’s/**")))
	for _, name := range oddLayers {
		d := rs.Match(testHost, mustPath(t, "/hubfs/"+name)).Decide("GET", 0, nil, fixedNow)
		if d.Kind != Public {
			t.Errorf("%s: %s by %s", name, d.Kind, d.Rule.Name)
		}
	}
	for _, name := range []string{"private%EF%BC%8Fx", "private%252Fx", "private%255Cx", "private%E2%88%95x",
		"%EF%BC%8Fprivate/x", "%252Fprivate/x", "private%250A/x", "pri%2501vate/x", "pri%2581vate/x", "it%2592s/x",
		"private%25c0%256f", "a%EF%BC%8Fsecret", "a%255C%2573ecret", "private%E2%81%84x", "private%25u2044x",
		"private%25EF%25BC%258Fx", "a%E2%88%95secret"} {
		p := mustPath(t, "/hubfs/"+name)
		if d := rs.Match(testHost, p).Decide("GET", 0, nil, fixedNow); d.Kind != Login {
			t.Errorf("%s: %s; read as %q", name, d.Kind, p.Readings())
		}
	}
	for _, name := range oddLayers {
		if p, err := urlpath.Parse("/members/" + name); err == nil {
			t.Errorf("%s was taken for a page: %q", name, p.Readings())
		}
	}
}

func TestInvisibleCharactersBypassNoRule(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**")))
	for _, c := range []string{"%E2%81%A5", "%EF%B7%90", "%F0%9F%BF%BE", "%F0%9B%B2%A0", "%E2%80%A8", "%F4%8F%BF%BF"} {
		d := rs.Match(testHost, mustPath(t, "/hubfs/priv"+c+"ate/b.pdf")).Decide("GET", 0, nil, fixedNow)
		if d.Kind != Login {
			t.Errorf("%s: %s", c, d.Kind)
		}
	}
}
