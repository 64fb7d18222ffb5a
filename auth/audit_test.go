package auth

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// audited collects the log lines of a test.
type audited struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (a *audited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.Write(p)
}

// lines returns the lines so far, without time and session.
func (a *audited) lines(t *testing.T) []map[string]any {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []map[string]any
	for text := range strings.Lines(a.text.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line["session"] != nil && len(line["session"].(string)) != 32 {
			t.Errorf("session %v", line["session"])
		}
		delete(line, "time")
		delete(line, "session")
		all = append(all, line)
	}
	return all
}

func TestLogoutIsAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	here, there := w.browser(), w.browser()
	w.login(here, "/members/")
	w.login(there, "/members/")
	w.browser().do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true) // not logged in
	here.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{"everywhere": {"1"}}, true)
	again := w.browser()
	w.login(again, "/members/")
	w.redis.SetError("LOADING Redis is loading the dataset in memory")
	again.do(http.MethodPost, w.gateway.URL+"/oauth2/sign_out", url.Values{}, true)
	logout := func(more map[string]any) map[string]any {
		line := map[string]any{
			"level": "INFO", "msg": "logout", "action": "logout", "outcome": "success", "client": "127.0.0.1",
			"email": "alice@example.com",
		}
		for key, value := range more {
			line[key] = value
		}
		return line
	}
	want := []map[string]any{
		logout(map[string]any{"kind": "everywhere", "count": 1.0}),
		logout(map[string]any{"kind": "cognito"}),
		logout(map[string]any{"kind": "cognito", "outcome": "pending"}),
	}
	if d := cmp.Diff(want, w.audit.lines(t)); d != "" {
		t.Errorf("-want +audited\n%s", d)
	}
}

func TestBackchannelLogoutIsAuditedWithSessionCount(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true })
	for _, token := range []string{p.rs256(logoutClaims(p, "one")), "no token"} {
		w.logoutToken(token)
	}
	want := []map[string]any{{
		"level": "INFO", "msg": "logout", "action": "logout", "outcome": "success", "kind": "backchannel", "count": 0.0,
		"client": "127.0.0.1",
	}}
	if d := cmp.Diff(want, w.audit.lines(t)); d != "" {
		t.Errorf("-want +audited\n%s", d)
	}
}

func (a *audited) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}
