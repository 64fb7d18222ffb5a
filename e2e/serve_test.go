package e2e

import (
	"net/http"
	"strings"
	"testing"
)

func TestLoginWithAnotherProviderCreatesAContact(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	g := s.serve()
	v := newVisitor(t)
	const path = "/members/handbook?chapter=2&x=a%20b"
	if got := s.login(v, path); !s.shows(got, path) {
		t.Fatalf("after the login: %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
	eventually(t, "the contact is in the CRM", func() bool { return s.crm.contact(email) != nil })
	for _, r := range s.origin.requests() {
		if r.Header.Get("X-Hs-Public-Host") == "" || strings.Contains(r.Header.Get("Cookie"), "hubgate") {
			t.Errorf("the origin received %v", r.Header)
		}
	}
	if got := v.open(s.url + "/partners/"); got.StatusCode != http.StatusForbidden {
		t.Errorf("without the group: %d", got.StatusCode)
	}
	if code := g.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit status %d", code)
	}
	for _, secret := range []string{adminToken, sealKey, "pat-na1-e2e", email, "code=", "state="} {
		if g.out.contains(secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
}

func TestSessionSurvivesKilledGateway(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	g, v := s.serve(), newVisitor(t)
	s.login(v, "/members/")
	g.kill()
	g.start()
	if got := v.open(s.url + "/members/"); !s.shows(got, "/members/") {
		t.Errorf("after SIGKILL: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestContactSurvivesKilledGatewayAndThrottledCRM(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.crm.answerAll(http.StatusTooManyRequests)
	g := s.serve()
	s.login(newVisitor(t), "/members/")
	eventually(t, "the CRM has rejected the contact", func() bool { return s.crm.upserts() > 0 })
	g.kill()
	s.crm.answerAll(http.StatusOK)
	g.start()
	eventually(t, "the contact is in the CRM", func() bool { return s.crm.contact(email) != nil })
}

func TestRedisOutageServesPublicPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.redis.kill()
	s.serve()
	if got := newVisitor(t).open(s.url + "/pricing"); got.StatusCode != http.StatusOK {
		t.Errorf("a public page without Redis: %d", got.StatusCode)
	}
	s.redis.start()
	eventually(t, "a login succeeds once Redis is back", s.canLogIn)
}

func TestProviderOutageServesPublicPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.provider.kill()
	s.serve()
	v := newVisitor(t)
	if got := v.open(s.url + "/pricing"); got.StatusCode != http.StatusOK {
		t.Errorf("a public page without the provider: %d", got.StatusCode)
	}
	got := v.open(s.url + "/members/")
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("a login without the provider: %d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
	}
}

func TestReloadAddsARuleAndIgnoresAnInvalidFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	g, v := s.serve(), newVisitor(t)
	if got := v.open(s.url + "/board/"); got.StatusCode != http.StatusOK {
		t.Fatalf("before: %d", got.StatusCode)
	}
	g.set(config{"proxy.rules": "[{path: /board/**}, {path: /members/**}]"})
	g.waitFor(`"msg":"configuration reloaded"`)
	if got := v.open(s.url + "/board/"); !s.atProvider(got) {
		t.Errorf("after: %d at %s", got.StatusCode, got.Request.URL)
	}
	g.set(config{"proxy.rulez": g.config["proxy.rules"], "proxy.rules": ""})
	g.waitFor("keeping the last good configuration")
	if got := v.open(s.url + "/board/"); !s.atProvider(got) {
		t.Errorf("after an invalid file: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestReloadRefusesToDropASealingKey(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	g, v := s.serve(), newVisitor(t)
	s.login(v, "/members/")
	g.set(config{"session.keys": "[YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=]"})
	g.waitFor("the removed key")
	if got := v.open(s.url + "/members/"); !s.shows(got, "/members/") {
		t.Errorf("after the refused reload: %d at %s", got.StatusCode, got.Request.URL)
	}
}
