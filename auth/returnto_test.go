package auth

import (
	"net/url"
	"strings"
	"testing"
)

func TestCleanReturnKeepsPathsOfThisHost(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("b", 2045)
	for raw, want := range map[string]string{
		"/members/a?x=1": "/members/a?x=1", "/a%20b": "/a%20b", "/caf%C3%A9": "/caf%C3%A9", "/": "/", "": "/",
		"/hubfs/a;b.pdf": "/hubfs/a;b.pdf", "/%e5%98%8a": "/%e5%98%8a", "/a?u=https://x//y": "/a?u=https://x//y",
		"/a?x=\xff\"ä":                  "/a?x=%FF%22%C3%A4",
		"/" + strings.Repeat("a", 2047): "/" + strings.Repeat("a", 2047), "/" + strings.Repeat("a", 2100): "/",
		"/oauth2/test": "/oauth2/test",
		"/a?" + long:   "/a?" + long, "/a?b" + long: "/a", "/a?" + strings.Repeat("b", 9000): "/a",
	} {
		if got := cleanReturn(raw, "/oauth2"); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestCleanReturnRejectsOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example", "evil.example",
		"/%09/evil.example", "/%0a/evil.example", "/ /evil.example", "/.//evil.example", "/%2f%2fevil.example",
		"/%5cevil.example", "javascript:alert(1)", "/./x", "/../x", "/%2e%2e/x", "/a#b", "/a%zz",
		"/oauth2/test/x", "/oauth2/test?rd=/a", "/oauth2/TEST", "/oauth2/%74est", "/oauth2/sign_out",
		"/OAuth2/sign_out", "/oauth2", "/%6fauth2/start",
		"/a;b", "/hubfs/..;/x", "/hubfs/.;a/x",
	} {
		if got := cleanReturn(raw, "/oauth2"); got != "/" {
			t.Errorf("%q: %q, want /", raw, got)
		}
	}
}

func FuzzCleanReturnStaysOnHost(f *testing.F) {
	for _, seed := range []string{"/a?b", "//evil", `/\evil`, "/%2f/evil", "/..//evil", "/%09/evil"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "www.example.com"}
	f.Fuzz(func(t *testing.T, raw string) {
		got := cleanReturn(raw, "/oauth2")
		u, err := base.Parse(got)
		sameHost := err == nil && u.Host == base.Host && u.Scheme == "https" && !strings.HasPrefix(got, "//")
		if !sameHost || isUnder(u.Path, "/oauth2") && got != "/oauth2/test" {
			t.Errorf("%q: %q", raw, got)
		}
	})
}
