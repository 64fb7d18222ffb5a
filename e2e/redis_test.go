package e2e

import (
	"net/http"
	"testing"
)

func TestRedisRestartKeepsSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.serve()
	v := newVisitor(t)
	s.login(v, "/members/")
	s.redis.kill()
	for range 20 {
		if got := v.open(s.url + "/members/"); !s.shows(got, "/members/") {
			t.Fatalf("without Redis: %d at %s", got.StatusCode, got.Request.URL)
		}
		if public := v.open(s.url + "/pricing"); public.StatusCode != http.StatusOK {
			t.Fatalf("a public page without Redis: %d", public.StatusCode)
		}
	}
	s.redis.start()
	eventually(t, "a login succeeds", s.canLogIn)
	if got := v.open(s.url + "/members/"); !s.shows(got, "/members/") {
		t.Errorf("after the restart: %d at %s", got.StatusCode, got.Request.URL)
	}
}
