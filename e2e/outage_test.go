package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// outage has the visitors who meet a fault of Redis at the first of two gateways. The second gateway is unaffected, so
// that there are sessions that the first does not know.
type outage struct {
	s        *site
	known    *visitor // whose session the first gateway has just confirmed
	unknown  *visitor // whose session the first gateway has never seen
	leaver   *visitor // known, and logs out during the fault
	starter  *visitor // returns from the provider during the fault
	callback string   // the URL that the starter returns to
	codes    int64    // redeemed before
}

func newOutage(s *site) *outage {
	s.t.Helper()
	p := &outage{s: s}
	s.router.pin(1)
	p.unknown = s.member()
	s.router.pin(0)
	p.known, p.leaver = s.member(), s.member()
	p.starter, p.callback = s.startLogin()
	p.codes = s.pool.codes.Load()
	return p
}

// startLogin takes a new visitor to the provider and returns the callback URL that finishes the login.
func (s *site) startLogin() (*visitor, string) {
	s.t.Helper()
	v := s.visitor()
	form := v.open(s.url + "/members/")
	v.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Path == "/oauth2/callback" {
			return stay(r, via)
		}
		return nil
	}
	back := s.submit(v, form)
	v.client.CheckRedirect = nil
	if back.Header.Get("Location") == "" {
		s.t.Fatalf("the provider does not redirect: %d at %s", back.StatusCode, back.Request.URL)
	}
	return v, back.Header.Get("Location")
}

// open opens a protected page and returns its status. A fault of the store may neither redirect to the provider nor
// change a cookie.
func (p *outage) open(who string, v *visitor) int {
	p.s.t.Helper()
	got := v.open(p.s.url + "/members/")
	if !strings.HasPrefix(got.Request.URL.String(), p.s.url) {
		p.s.t.Errorf("%s: redirected to %s", who, got.Request.URL)
	}
	if c := got.Header.Values("Set-Cookie"); len(c) > 0 {
		p.s.t.Errorf("%s: Set-Cookie %v", who, c)
	}
	switch retry, cache := got.Header.Get("Retry-After"), got.Header.Get("Cache-Control"); got.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		if retry == "" || cache != "no-store" {
			p.s.t.Errorf("%s: 503 with Retry-After %q, Cache-Control %q", who, retry, cache)
		}
	default:
		p.s.t.Errorf("%s: %d", who, got.StatusCode)
	}
	return got.StatusCode
}

// wantPage opens a protected page and checks its status.
func (p *outage) wantPage(who string, v *visitor, status int) {
	p.s.t.Helper()
	if got := p.open(who, v); got != status {
		p.s.t.Errorf("%s: %d, want %d", who, got, status)
	}
}

// endpoints checks that a session that cannot be determined counts neither as logged in nor as logged out at the
// gateway's own endpoints.
func (p *outage) endpoints() {
	p.s.t.Helper()
	for path, status := range map[string]int{
		"/oauth2/userinfo": http.StatusOK, "/oauth2/auth": http.StatusAccepted, "/oauth2/session": http.StatusOK,
	} {
		if got := p.known.open(p.s.url + path); got.StatusCode != status {
			p.s.t.Errorf("%s for the known session: %d", path, got.StatusCode)
		}
		got := p.unknown.open(p.s.url + path)
		if retry := got.Header.Get("Retry-After"); got.StatusCode != http.StatusServiceUnavailable || retry == "" {
			p.s.t.Errorf("%s for the unknown session: %d, Retry-After %q", path, got.StatusCode, retry)
		}
	}
}

func (p *outage) public() {
	p.s.t.Helper()
	if got := p.s.visitor().open(p.s.url + "/pricing"); got.StatusCode != http.StatusOK {
		p.s.t.Errorf("a public page: %d", got.StatusCode)
	}
}

// finishLogin returns to the callback. The answer is 503 without redeeming the code, unless the login may succeed.
func (p *outage) finishLogin(mayWork bool) {
	p.s.t.Helper()
	got := p.starter.open(p.callback)
	if mayWork && got.Request.URL.Path == "/members/" {
		return
	}
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" ||
		!strings.Contains(got.body, `href=""`) { // a link to the same address
		p.s.t.Errorf("the callback: %d at %s, or no link to try again\n%s",
			got.StatusCode, got.Request.URL.Path, got.body)
	}
	if n := p.s.pool.codes.Load(); n != p.codes && !mayWork {
		p.s.t.Errorf("%d codes were redeemed", n-p.codes)
	}
}

// logOut logs out, which deletes the cookie and ends the provider's session even without Redis. It returns the cookies
// that the visitor had.
func (p *outage) logOut() []*http.Cookie {
	p.s.t.Helper()
	cookies := p.leaver.client.Jar.Cookies(mustURL(p.s.t, p.s.url))
	p.leaver.client.CheckRedirect = stay
	got := p.leaver.do(http.MethodPost, p.s.url+"/oauth2/sign_out", url.Values{})
	cleared := false
	for _, c := range got.Cookies() {
		cleared = cleared || (c.Name == "hubgate" && c.MaxAge < 0)
	}
	to := got.Header.Get("Location")
	if got.StatusCode != http.StatusFound || !strings.HasPrefix(to, p.s.pool.URL+"/logout") || !cleared {
		p.s.t.Errorf("the logout: %d, Location %q, cookie deleted %v", got.StatusCode, to, cleared)
	}
	return cookies
}

// burst sends n requests with the unknown session at once. It returns how often each status was answered, and the
// longest time that an answer took.
func (p *outage) burst(n int) (statuses map[int]int, longest time.Duration) {
	p.s.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	statuses = map[int]int{}
	for range n {
		all.Go(func() {
			began := time.Now()
			status := p.open("a burst", p.unknown)
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
			longest = max(longest, time.Since(began))
		})
	}
	all.Wait()
	return statuses, longest
}

// ended checks that a copy of the cookies from before the logout is not accepted by any gateway.
func (p *outage) ended(cookies []*http.Cookie) {
	p.s.t.Helper()
	for i := range 2 {
		p.s.router.pin(i)
		eventually(p.s.t, fmt.Sprintf("the session has ended at gateway %d", i), func() bool {
			thief := p.s.visitor()
			thief.client.Jar.SetCookies(mustURL(p.s.t, p.s.url), cookies)
			return !strings.HasPrefix(thief.open(p.s.url+"/members/").Request.URL.String(), p.s.url)
		})
	}
	p.s.router.pin(0)
}

// recover checks that all visitors are served again with the cookies that they have. It returns how long that took.
func (p *outage) recover(loggedOut []*http.Cookie) time.Duration {
	p.s.t.Helper()
	began := time.Now()
	eventually(p.s.t, "the unknown session is served", func() bool {
		return p.open("unknown session", p.unknown) == http.StatusOK
	})
	took := time.Since(began)
	p.wantPage("known session", p.known, http.StatusOK)
	eventually(p.s.t, "the login succeeds", func() bool { return p.starter.open(p.callback).StatusCode == http.StatusOK })
	if got := p.starter.open(p.s.url + "/members/"); !p.s.shows(got, "/members/") {
		p.s.t.Errorf("after the login: %d at %s", got.StatusCode, got.Request.URL)
	}
	p.ended(loggedOut)
	eventually(p.s.t, "the gateway is healthy", func() bool { return p.s.gateways[0].check("redis").OK })
	return took
}
