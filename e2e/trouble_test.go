package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/faultproxy"
)

// The table of http.md for a Redis in trouble, row by row, with the real binary. Two replicas: the first reaches Redis through the
// trouble, the second lives well, so that there are sessions which the first does not know.

// troubled are the people who meet a fault.
type troubled struct {
	f        *gateways
	known    *visitor // the first replica confirmed the session a moment ago
	unknown  *visitor // it never saw it
	leaver   *visitor // known, and signs out meanwhile
	starter  *visitor // comes back from the provider meanwhile
	callback string
	codes    int64
}

func (f *gateways) meetTrouble() *troubled {
	f.t.Helper()
	p := &troubled{f: f}
	f.router.pin(1)
	p.unknown = f.login()
	f.router.pin(0)
	p.known, p.leaver = f.login(), f.login()
	p.starter, p.callback = f.callback()
	p.codes = f.codes.Load()
	return p
}

// page asks for a protected page. Trouble of the store leads nobody to the provider and touches no cookie.
func (p *troubled) page(who string, v *visitor) int {
	p.f.t.Helper()
	got := v.open(p.f.site + "/members/")
	if !strings.HasPrefix(got.Request.URL.String(), p.f.site) {
		p.f.t.Errorf("%s was sent to %s", who, got.Request.URL)
	}
	if c := got.Header.Values("Set-Cookie"); len(c) > 0 {
		p.f.t.Errorf("%s: the cookie was touched: %v", who, c)
	}
	switch got.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		if got.Header.Get("Retry-After") == "" || got.Header.Get("Cache-Control") != "no-store" {
			p.f.t.Errorf("%s: 503 with Retry-After %q, Cache-Control %q", who, got.Header.Get("Retry-After"), got.Header.Get("Cache-Control"))
		}
	default:
		p.f.t.Errorf("%s: %d", who, got.StatusCode)
	}
	return got.StatusCode
}

// endpoints: who cannot be told is neither logged in nor logged out, for scripts and sub-requests as well.
func (p *troubled) endpoints() {
	p.f.t.Helper()
	for path, served := range map[string]int{"/oauth2/userinfo": http.StatusOK, "/oauth2/auth": http.StatusAccepted, "/oauth2/session": http.StatusOK} {
		if got := p.known.open(p.f.site + path); got.StatusCode != served {
			p.f.t.Errorf("%s of the known: %d", path, got.StatusCode)
		}
		if got := p.unknown.open(p.f.site + path); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			p.f.t.Errorf("%s of the unknown: %d, Retry-After %q", path, got.StatusCode, got.Header.Get("Retry-After"))
		}
	}
}

func (p *troubled) public() {
	p.f.t.Helper()
	if got := p.f.visitor().open(p.f.site + "/pricing"); got.StatusCode != http.StatusOK {
		p.f.t.Errorf("a public page: %d", got.StatusCode)
	}
}

// begin finishes the login, or is told to try again with the code unspent.
func (p *troubled) begin(mayWork bool) {
	p.f.t.Helper()
	got := p.starter.open(p.callback)
	if mayWork && got.Request.URL.Path == "/members/" {
		return
	}
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, `href=""`) { // the same address
		p.f.t.Errorf("the callback: %d at %s, or no link to try again\n%s", got.StatusCode, got.Request.URL.Path, got.body)
	}
	if n := p.f.codes.Load(); n != p.codes && !mayWork {
		p.f.t.Errorf("%d codes were spent", n-p.codes)
	}
}

// leave signs out: the cookie goes and the provider's session ends, whatever Redis does.
func (p *troubled) leave() (cookie []*http.Cookie) {
	p.f.t.Helper()
	home, _ := url.Parse(p.f.site)
	cookie = p.leaver.client.Jar.Cookies(home)
	p.leaver.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got := p.leaver.do(http.MethodPost, p.f.site+"/oauth2/sign_out", url.Values{})
	cleared := false
	for _, c := range got.Cookies() {
		cleared = cleared || (c.Name == "hubgate" && c.MaxAge < 0)
	}
	if got.StatusCode != http.StatusFound || !strings.HasPrefix(got.Header.Get("Location"), p.f.pool.URL+"/logout") || !cleared {
		p.f.t.Errorf("the sign-out: %d to %q, cookie cleared %v", got.StatusCode, got.Header.Get("Location"), cleared)
	}
	return cookie
}

// crowd sends many requests of the unknown session at once, more than the pool has connections.
func (p *troubled) crowd(n int) (codes map[int]int, longest time.Duration) {
	p.f.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	codes = map[int]int{}
	for range n {
		all.Go(func() {
			began := time.Now()
			code := p.page("the crowd", p.unknown)
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
			longest = max(longest, time.Since(began))
		})
	}
	all.Wait()
	return codes, longest
}

// returned: a copy of the cookie that was signed out with must open nothing, on any replica.
func (p *troubled) returned(cookies []*http.Cookie) {
	p.f.t.Helper()
	home, _ := url.Parse(p.f.site)
	for i := range 2 {
		p.f.router.pin(i)
		eventually(p.f.t, fmt.Sprintf("the ended session is over at replica %d", i), func() bool {
			thief := p.f.visitor()
			thief.client.Jar.SetCookies(home, cookies)
			return !strings.HasPrefix(thief.open(p.f.site+"/members/").Request.URL.String(), p.f.site)
		})
	}
	p.f.router.pin(0)
}

// recovered: with Redis back everything goes on by itself, with the same cookies.
func (p *troubled) recovered(left []*http.Cookie) time.Duration {
	p.f.t.Helper()
	began := time.Now()
	eventually(p.f.t, "the unknown session is served", func() bool { return p.page("the unknown", p.unknown) == http.StatusOK })
	took := time.Since(began)
	if got := p.page("the known", p.known); got != http.StatusOK {
		p.f.t.Errorf("the known session afterwards: %d", got)
	}
	eventually(p.f.t, "the login is finished", func() bool { return p.starter.open(p.callback).StatusCode == http.StatusOK })
	if got := p.starter.open(p.f.site + "/members/"); got.StatusCode != http.StatusOK || got.Request.URL.Path != "/members/" {
		p.f.t.Errorf("the login afterwards: %d at %s", got.StatusCode, got.Request.URL)
	}
	p.returned(left)
	eventually(p.f.t, "the replica is well", func() bool { return p.f.redis(p.f.replicas[0]).OK })
	return took
}

func TestABadNetworkToRedisSignsNobodyOutAndIsBorne(t *testing.T) {
	t.Parallel()
	need(t, "redis", "redis-server")
	port := freePorts(t, 1)
	startRedis(t, port)
	network, err := faultproxy.New(fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	f := newGateways(t, time.Hour)
	f.join(fmt.Sprintf(`{urls: ["redis://%s/0"]}`, network.Addr()), "")
	f.join(single(port), "")
	for _, c := range []struct {
		name    string
		fault   faultproxy.Fault
		cut     bool // every connection is reset, again and again
		partial bool // some commands pass
	}{
		{name: "refused", fault: faultproxy.Fault{Refuse: true}},
		{name: "hanging", fault: faultproxy.Fault{Hang: true}},
		{name: "half-open", fault: faultproxy.Fault{HalfOpen: true}},
		{name: "garbage", fault: faultproxy.Fault{Garbage: true}},
		{name: "too slow", fault: faultproxy.Fault{Delay: 2 * time.Second}},
		{name: "slow", fault: faultproxy.Fault{Delay: 100 * time.Millisecond}, partial: true},
		{name: "narrow", fault: faultproxy.Fault{PerChunk: 64, Delay: 20 * time.Millisecond}, partial: true},
		{name: "cut", cut: true, partial: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			p := f.meetTrouble()
			if err := network.Set(c.fault); err != nil {
				t.Fatal(err)
			}
			stop := make(chan struct{})
			if c.cut {
				go cutAgain(network, stop)
			}
			p.public()
			for range 5 { // from the first page on, whether or not the trouble was noticed
				if got := p.page("the known", p.known); got != http.StatusOK {
					t.Errorf("the known: %d", got)
				}
			}
			if !c.partial {
				if got := p.page("the unknown", p.unknown); got != http.StatusServiceUnavailable {
					t.Errorf("the unknown: %d", got)
				}
			}
			codes, longest := p.crowd(150) // more than there are connections, all at once
			if longest > 5*time.Second {
				t.Errorf("somebody waited %s", longest)
			}
			before := network.Accepted()
			again, _ := p.crowd(150)
			dials := network.Accepted() - before
			if !c.partial && (codes[http.StatusServiceUnavailable] != 150 || again[http.StatusServiceUnavailable] != 150 || dials > 30) {
				t.Errorf("150 at once: %v, again: %v; then %d connections were tried", codes, again, dials)
			}
			if !c.partial {
				p.endpoints()
			}
			p.page("the known", p.known)
			p.public()
			p.begin(c.partial)
			left := p.leave()
			close(stop)
			if err := network.Set(faultproxy.Fault{}); err != nil {
				t.Fatal(err)
			}
			t.Logf("150 at once: %v, the longest took %s, %d connections tried; back after %s", codes, longest, dials, p.recovered(left))
		})
	}
}

func cutAgain(network *faultproxy.Proxy, stop chan struct{}) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			network.Cut()
		}
	}
}
