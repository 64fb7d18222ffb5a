package rules

import (
	"strings"
	"testing"
)

func TestPlusInPatternMatchesSpace(t *testing.T) {
	t.Parallel()
	cfg := accessRules(loginRule("/board+room/**"), loginRule("/a b/**"), publicRule("/a+b/open"),
		publicRule("/board+room/open"), loginRule("/**/q+a*/x"))
	for raw, want := range map[string]Kind{"/board%20room/x": Login, "/board+room/x": Login, "/Board%20Room": Login,
		"/board%20room/open": Public, "/board+room/open": Public, "/a%20b/open": Login, "/z/q%20ab/x": Login,
		"/boardroom/x": Public} {
		if d := compiled(t, cfg).Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != want {
			t.Errorf("%s: %s by %s, want %s", raw, d.Kind, d.Rule.Name, want)
		}
	}
	closed := accessRules(publicRule("/jobs/c++-developer"), publicRule("/q+a/**"))
	closed.Default = "login"
	for raw, want := range map[string]Kind{"/jobs/c++-developer": Public, "/jobs/C%2B%2B-developer": Public,
		"/q+a/x": Public, "/q%20a/x": Public, "/jobs/c+-developer": Login} {
		if d := compiled(t, closed).Match(testHost, mustPath(t, raw)).Decide("GET", 0, nil, fixedNow); d.Kind != want {
			t.Errorf("closed site, %s: %s by %s, want %s", raw, d.Kind, d.Rule.Name, want)
		}
	}
}

func TestTransformedFilesAreMatched(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(loginRule("/hubfs/private/**", "partner")))
	bob := LoggedIn(nil, nil, fixedNow)
	for _, raw := range []string{"/cdn-cgi/image/width=80/hubfs/private/x.png",
		"/CDN-CGI/media/mode=video/hub/4711/private/x",
		"/cdn-cgi/image/w=8/a/hs-fs/hubfs/private/x.png"} {
		m := rs.Match(testHost, mustPath(t, raw))
		if d := m.Decide("GET", 0, nil, fixedNow); d.Kind != Login {
			t.Errorf("%s: %s", raw, d.Kind)
		}
		if d := m.Decide("GET", 0, bob, fixedNow); d.Kind != Forbid {
			t.Errorf("%s, without the group: %s", raw, d.Kind)
		}
	}
	nested := mustPath(t, "/cdn-cgi/image/w=8"+strings.Repeat("/hub/1", 100)+"/x")
	if d := rs.Match(testHost, nested).Decide("GET", 0, bob, fixedNow); d.Kind != Refuse {
		t.Errorf("a hundred sources: %s", d.Kind)
	}
	open := compiled(t, accessRules(loginRule("/members/**")))
	d := open.Match(testHost, mustPath(t, "/cdn-cgi/image/w=8/hubfs/a.png")).Decide("GET", 0, nil, fixedNow)
	if d.Kind != Public {
		t.Errorf("while no file is protected: %s", d.Kind)
	}
}
