package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const email = "test-user@zitadel.ch"

func TestALoginThroughAnotherProviderComesBackToThePageAndBecomesAContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gw := w.serve()
	v := newVisitor(t)
	page := w.login(v, "/members/handbook?chapter=2&x=a%20b")
	if got := page.Request.URL.String(); got != w.site()+"/members/handbook?chapter=2&x=a%20b" || page.StatusCode != http.StatusOK {
		t.Fatalf("after the login: %d at %s\n%s", page.StatusCode, got, page.body)
	}
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email) != nil })
	for _, r := range w.origin.requests() {
		if r.Header.Get("X-Hs-Public-Host") == "" || strings.Contains(r.Header.Get("Cookie"), "hubgate") {
			t.Errorf("the origin was asked with %v", r.Header)
		}
	}
	if got := v.open(w.site() + "/partners/"); got.StatusCode != http.StatusForbidden {
		t.Errorf("without the group: %d", got.StatusCode)
	}
	if code := gw.terminate(); code != 0 {
		t.Errorf("SIGTERM: exit status %d", code)
	}
	for _, secret := range []string{adminToken, sealKey, "pat-na1-e2e", email, "code=", "state="} {
		if strings.Contains(gw.out.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestASessionOutlivesAKilledGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gw, v := w.serve(), newVisitor(t)
	w.login(v, "/members/")
	gw.kill()
	w.serve()
	if got := v.open(w.site() + "/members/"); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Request.URL.String(), w.site()) {
		t.Errorf("after a kill -9: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestAContactOutlivesAKilledGatewayAndAThrottledCRM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.setAnswer(func(int) int { return http.StatusTooManyRequests })
	gw := w.serve()
	w.login(newVisitor(t), "/members/")
	eventually(t, "the CRM was asked", func() bool { w.crm.mu.Lock(); defer w.crm.mu.Unlock(); return w.crm.calls > 0 })
	gw.kill()
	w.crm.setAnswer(nil)
	w.serve()
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email) != nil })
}

func TestWithoutRedisPublicPagesAreServedAndProtectedOnesSayTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.redis.kill()
	w.serve()
	v := newVisitor(t)
	if got := v.open(w.site() + "/pricing"); got.StatusCode != http.StatusOK {
		t.Errorf("a public page without Redis: %d", got.StatusCode)
	}
	w.redis = startRedis(t, w.redisPort)
	page := w.login(v, "/members/")
	if page.StatusCode != http.StatusOK {
		t.Fatalf("after Redis came: %d", page.StatusCode)
	}
}

func TestWithoutTheProviderPublicPagesAreServedAndALoginSaysTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.kill()
	w.serve()
	v := newVisitor(t)
	if got := v.open(w.site() + "/pricing"); got.StatusCode != http.StatusOK {
		t.Errorf("a public page without the provider: %d", got.StatusCode)
	}
	got := v.open(w.site() + "/members/")
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("a login without the provider: %d, Retry-After %q", got.StatusCode, got.Header.Get("Retry-After"))
	}
}

func TestARuleThatIsAddedTakesEffectAndABadFileKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gw, v := w.serve(), newVisitor(t)
	if got := v.open(w.site() + "/board/"); got.StatusCode != http.StatusOK {
		t.Fatalf("before: %d", got.StatusCode)
	}
	change := func(from, to string) {
		text, err := os.ReadFile(w.config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.config, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change("  rules:\n", "  rules:\n    - path: /board/**\n")
	gw.says(`"msg":"configuration reloaded"`)
	if got := v.open(w.site() + "/board/"); strings.HasPrefix(got.Request.URL.String(), w.site()) {
		t.Errorf("after: %d at %s", got.StatusCode, got.Request.URL)
	}
	change("rules:", "rulez:")
	gw.says("the last good one goes on")
	if got := v.open(w.site() + "/board/"); strings.HasPrefix(got.Request.URL.String(), w.site()) {
		t.Errorf("after a bad file: %d at %s", got.StatusCode, got.Request.URL)
	}
}

func TestAKeyThatSealsSessionsIsNotDroppedByAReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gw, v := w.serve(), newVisitor(t)
	w.login(v, "/members/")
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), sealKey, "YWJjZGVmZ2hpamFiY2RlZmdoaWphYmNkZWZnaGlqYWI=", 1)
	if err := os.WriteFile(w.config, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	gw.says("the dropped key")
	if got := v.open(w.site() + "/members/"); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Request.URL.String(), w.site()) {
		t.Errorf("after the refused reload: %d at %s", got.StatusCode, got.Request.URL)
	}
}
