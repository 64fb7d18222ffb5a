package rules

import (
	"testing"
)

// Some file server finds the protected file for each request: it cuts off parameters after "&" or the name of a stream,
// or ignores accents.
func TestFileLookupsOfLenientOrigins(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/plan.jpg"), loginRule("/hubfs/private/**"),
		loginRule("/hubfs/büro/**")))
	for raw, want := range map[string]Kind{"/hubfs/plan.jpg&width=400": Login, "/hubfs/plan.jpg%26w=1": Login,
		"/hubfs/plan.jpg&a/b": Login, "/hubfs/private&a/x": Login, "/hubfs/private&amp;/x": Login,
		"/hubfs/plan.jpg::$DATA": Login, "/hubfs/private::$INDEX_ALLOCATION/x": Login, "/hubfs/private%3A/x": Login,
		"/hubfs/priv%C3%A1te/x": Login, "/hubfs/pl%C3%A4n.jpg": Login, "/hubfs/buro/x": Login,
		"/hub/7/hubfs/b%C3%BAro/x": Login, "/hubfs/plan.jpg%2526w": Login,
		"/hubfs/r&d.pdf": Public, "/hubfs/&a/b:c/d.pdf": Public, "/hubfs/%C3%A4rger:1.pdf": Public} {
		p := mustPath(t, raw)
		if d := rs.Match(testHost, p).Decide("GET", 0, nil, fixedNow); d.Kind != want {
			t.Errorf("%s: %s by %s, want %s; read as %q", raw, d.Kind, d.Rule.Name, want, p.Readings())
		}
	}
}

func TestPublicRuleNeedsExactLetters(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/members/**"), publicRule("/members/strasse"),
		publicRule("/members/info"), publicRule("/members/größe"), publicRule("/members/fu%C3%9F")))
	for raw, want := range map[string]Kind{"/members/stra%C3%9Fe": Login, "/members/STRA%E1%BA%9Ee": Login,
		"/members/%C4%B1nfo": Login, "/members/%C4%B0nfo": Login, "/members/strasse": Public, "/members/INFO": Public,
		"/members/gr%C3%B6%C3%9Fe": Public, "/members/Gr%C3%96%E1%BA%9Ee": Public, "/members/fu%C3%9F": Public,
		"/stra%C3%9Fe": Public} {
		if d := rs.Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != want {
			t.Errorf("%s: %s by %s, want %s", raw, d.Kind, d.Rule.Name, want)
		}
	}
}
