package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// line is one line of the log.
type line map[string]any

func (l line) text(key string) string { s, _ := l[key].(string); return s }

// lines returns the log so far.
func (g *gateway) lines() []line {
	g.t.Helper()
	var all []line
	for text := range strings.Lines(g.out.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			g.t.Errorf("a line of the log is not a JSON object: %v\n%s", err, text)
			continue
		}
		all = append(all, l)
	}
	return all
}

// audits returns the audit lines with an action and an outcome.
func (g *gateway) audits(action, outcome string) []line {
	g.t.Helper()
	var found []line
	for _, l := range g.lines() {
		if l.text("component") == "audit" && l.text("action") == action && l.text("outcome") == outcome {
			found = append(found, l)
		}
	}
	return found
}

func TestLogIsJSONWhileRedisIsUnavailable(t *testing.T) {
	t.Parallel()
	redis := fmt.Sprintf(`{urls: ["redis://%s"]}`, local(freePorts(t, 1)))
	s := newSite(t, options{bare: true, config: config{"session.redis": redis}})
	g := s.serve()
	g.waitFor("redis is unavailable")
	if len(g.lines()) == 0 { // it reports lines that are not JSON, such as those of the Redis client's own logger
		t.Error("the log is empty")
	}
}

// everyAction causes every audited action.
func everyAction(s *site) *gateway {
	s.t.Helper()
	g, v := s.newGateway(), newVisitor(s.t)
	g.launch()
	eventually(s.t, "the gateway serves", func() bool { return listens(g.port) })
	s.login(v, "/members/")
	v.open(s.url + "/partners/")                                      // deny
	v.open(s.url + "/oauth2/callback?state=x&code=y&canary=in-query") // with a session: redirects to the site
	newVisitor(s.t).open(s.url + "/oauth2/callback?state=x&code=y")   // a failed login
	g.api("GET", "/api/sessions?user="+email, "")
	g.request("GET", "/config", "", "wrong")
	v.submit(v.open(s.url+"/oauth2/session"), "sign_out", nil)
	other := newVisitor(s.t)
	s.login(other, "/members/")
	g.api("DELETE", "/api/sessions?user="+email, "")
	everywhere := newVisitor(s.t)
	s.login(everywhere, "/members/")
	everywhere.submit(everywhere.open(s.url+"/oauth2/session"), "sign_out", map[string]string{"everywhere": "1"})
	g.set(config{"proxy.rules": "[{path: /members/**}, {path: /board/**}, {path: /partners/**, groups: [partner]}]"})
	g.waitFor(`"action":"reload","outcome":"success"`)
	g.set(config{"proxy.default": "pubic"})
	g.waitFor(`"action":"reload","outcome":"refused"`)
	s.redis.kill()
	g.api("GET", "/api/contacts", "") // a failure
	s.origin.Close()
	other.open(s.url + "/public") // an error
	if code := g.terminate(); code != 0 {
		s.t.Errorf("exit status %d", code)
	}
	return g
}

func TestAuditLogHasEveryAction(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{config: config{"log.level": "error"}}) // audit lines do not depend on the level
	g := everyAction(s)
	login := g.audits("login", "success")
	if len(login) != 3 || login[0].text("session") == "" || login[0].text("client") != "127.0.0.1" ||
		!strings.HasPrefix(login[0].text("email"), "hash:") || login[0].text("request_id") == "" {
		t.Fatalf("logins: %v", login)
	}
	session, hash := login[0].text("session"), login[0].text("email")
	for _, c := range []struct {
		action, outcome string
		n               int
		want            map[string]string
	}{
		{"login", "failure", 1, map[string]string{"reason": "state"}},
		{"deny", "refused", 1, map[string]string{
			"rule": "/partners/**", "reason": "groups", "session": session, "email": hash, "client": "127.0.0.1"}},
		{"logout", "success", 3, map[string]string{"session": session, "email": hash, "kind": "oidc"}},
		{"session_end", "success", 3, map[string]string{"session": session, "email": hash, "reason": "logout"}},
		{"admin_read", "success", 1, map[string]string{
			"method": "GET", "path": "/api/sessions", "client": "127.0.0.1"}},
		{"admin_read", "refused", 1, map[string]string{"path": "/config", "reason": "token"}},
		{"admin_read", "failure", 1, map[string]string{"path": "/api/contacts"}},
		{"admin_change", "success", 1, map[string]string{"method": "DELETE", "path": "/api/sessions"}},
		{"reload", "success", 1, map[string]string{
			"protection": strings.TrimPrefix(s.url, "http://") + "/board/**: public -> login"}},
		{"reload", "refused", 1, nil},
	} {
		found := g.audits(c.action, c.outcome)
		if len(found) != c.n {
			t.Errorf("%d lines %s %s, want %d: %v", len(found), c.action, c.outcome, c.n, found)
			continue
		}
		if c.action != "reload" && found[0].text("request_id") == "" {
			t.Errorf("%s has no request id: %v", c.action, found[0])
		}
		for key, want := range c.want {
			if got := found[0].text(key); got != want {
				t.Errorf("%s %s: %s is %q, want %q", c.action, c.outcome, key, got, want)
			}
		}
	}
	end, operator := g.audits("session_end", "success")[1], g.audits("admin_change", "success")[0]
	if end.text("reason") != "revoked" || end.text("request_id") != operator.text("request_id") {
		t.Errorf("%v does not refer to the operator's %v", end, operator)
	}
}

func TestLogMatchesItsDocumentation(t *testing.T) {
	t.Parallel()
	s, _ := traced(t, config{})
	g := everyAction(s)
	doc, err := os.ReadFile(filepath.Join("..", "docs", "logs.md"))
	if err != nil {
		t.Fatal(err)
	}
	common := documentedFields(string(doc), "Every line")
	documented := map[string][]string{
		"access": append(documentedFields(string(doc), "Access lines"), common...),
		"audit":  append(append(documentedFields(string(doc), "Audit lines"), "action", "outcome"), common...),
		"":       append(documentedFields(string(doc), "Application lines"), common...),
	}
	written := map[string]map[string]bool{"access": {}, "audit": {}, "": {}}
	for _, l := range g.lines() {
		kind := l.text("component")
		if written[kind] == nil {
			kind = ""
		}
		if l["schema_version"] != 1.0 || l.text("component") == "" {
			t.Errorf("a line without version or component: %v", l)
		}
		for field := range l {
			written[kind][field] = true
			if !slices.Contains(documented[kind], field) {
				t.Errorf("docs/logs.md does not have the field %q of %v", field, l)
			}
		}
	}
	rare := []string{"bytes", "suppressed", "suppressed_others"}
	for kind, fields := range documented {
		for _, field := range fields {
			if kind != "" && !written[kind][field] && !slices.Contains(rare, field) {
				t.Errorf("docs/logs.md has the field %q, but no %s line does", field, kind)
			}
		}
	}
}

var quoted = regexp.MustCompile("`([a-z0-9_]+)`")

// documentedFields returns the fields in a section: in the first column of its table, or in the last for audit lines.
func documentedFields(doc, heading string) []string {
	_, section, _ := strings.Cut(doc, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var fields []string
	for text := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(text), "|"), "|")
		cell := cells[0]
		switch {
		case heading == "Application lines" && !strings.Contains(text, "Everything"):
		case heading == "Audit lines" && len(cells) == 3:
			cell = parenthesis.ReplaceAllString(cells[2], "")
		case len(cells) < 2 || heading == "Audit lines":
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			fields = append(fields, m[1])
		}
	}
	return fields
}

var parenthesis = regexp.MustCompile(`\([^)]*\)`)

func TestLogEmailPolicy(t *testing.T) {
	t.Parallel()
	for policy, valid := range map[string]func(string) bool{
		"hash": func(got string) bool { return strings.HasPrefix(got, "hash:") },
		"full": func(got string) bool { return got == email },
		"none": func(got string) bool { return got == "" },
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, options{config: config{"log.email": policy}})
			g := s.serve()
			s.login(newVisitor(t), "/members/")
			eventually(t, "the login is in the log", func() bool { return len(g.audits("login", "success")) == 1 })
			if got := g.audits("login", "success")[0].text("email"); !valid(got) {
				t.Errorf("email is %q", got)
			}
			if found := g.out.contains(email); found != (policy == "full") {
				t.Errorf("the log contains the address: %v\n%s", found, g.out)
			}
		})
	}
}

func TestLogIsJSONWhenSentinelIsUnreachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{redis: `{mode: sentinel, master_name: site, urls: ["redis://127.0.0.1:1"]}`})
	g := s.newGateway()
	g.launch()
	eventually(t, "the gateway serves", func() bool { return listens(g.port) })
	g.terminate()
	if len(g.lines()) == 0 {
		t.Error("the log is empty")
	}
}

func TestLogClientBehindTrustedProxy(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{config: config{"server.trusted_proxies": `[127.0.0.0/8, "::1", 10.0.0.0/8]`}})
	g := s.serve()
	s.get("/public", http.Header{
		"X-Forwarded-For": {"6.6.6.6, 203.0.113.9, 10.1.2.3"}, "X-Request-Id": {"from-the-balancer"}})
	g.waitFor(`"msg":"request"`)
	for _, l := range g.lines() {
		if l.text("msg") != "request" {
			continue
		}
		if l.text("client") != "203.0.113.9" || l.text("request_id") != "from-the-balancer" {
			t.Errorf("%v", l)
		}
	}
}
