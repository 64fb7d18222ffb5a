package e2e

import (
	"encoding/json"
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

// lines are the JSON lines that a gateway wrote so far.
func lines(t *testing.T, p *process) []line {
	t.Helper()
	var all []line
	for text := range strings.Lines(p.out.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Errorf("a line of the log is no JSON object: %v\n%s", err, text)
			continue
		}
		all = append(all, l)
	}
	return all
}

// audits are the audit lines of an action and outcome.
func audits(t *testing.T, p *process, action, outcome string) []line {
	t.Helper()
	var found []line
	for _, l := range lines(t, p) {
		if l.text("component") == "audit" && l.text("action") == action && l.text("outcome") == outcome {
			found = append(found, l)
		}
	}
	return found
}

// admin asks the admin listener; an empty token sends none.
func (w *world) admin(method, path, token string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, address(w.adminPort)+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := readAll(res)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, body
}

// everyAction lives through everything that is audited.
func everyAction(t *testing.T, w *world) *process {
	t.Helper()
	gw, v := start(t, binary, "serve", "--config", w.config), newVisitor(t)
	eventually(t, "the gateway serves", func() bool { return listens(w.port) })
	w.login(v, "/members/")
	v.open(w.site() + "/partners/")                                      // deny
	v.open(w.site() + "/oauth2/callback?state=x&code=y&canary=in-query") // with a session: on to the site
	newVisitor(t).open(w.site() + "/oauth2/callback?state=x&code=y")     // a failed login
	w.admin("GET", "/api/sessions?user="+email, adminToken)
	w.admin("GET", "/config", "wrong")
	v.submit(v.open(w.site()+"/oauth2/session"), "sign_out", nil)
	other := newVisitor(t)
	w.login(other, "/members/")
	w.admin("DELETE", "/api/sessions?user="+email, adminToken)
	everywhere := newVisitor(t)
	w.login(everywhere, "/members/")
	everywhere.submit(everywhere.open(w.site()+"/oauth2/session"), "sign_out", map[string]string{"everywhere": "1"})
	w.rewrite(func(text string) string {
		return strings.Replace(text, "    - path: /members/**\n", "    - path: /members/**\n    - path: /board/**\n", 1)
	})
	gw.says(`"action":"reload","outcome":"success"`)
	w.rewrite(func(text string) string { return strings.Replace(text, "default: public", "default: pubic", 1) })
	gw.says(`"action":"reload","outcome":"refused"`)
	w.redis.kill()
	w.admin("GET", "/api/contacts", adminToken) // a failure
	w.origin.Close()
	other.open(w.site() + "/public") // an error
	if code := gw.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	return gw
}

func TestEveryActionIsAuditedWithWhoAndHowItEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rewrite(func(text string) string { return text + "log: {level: error}\n" }) // audit lines are no matter of verbosity
	gw := everyAction(t, w)
	login := audits(t, gw, "login", "success")
	if len(login) != 3 || login[0].text("session") == "" || login[0].text("client") != "127.0.0.1" || !strings.HasPrefix(login[0].text("email"), "hash:") || login[0].text("request_id") == "" {
		t.Errorf("logins: %v", login)
	}
	for _, c := range []struct {
		action, outcome string
		n               int
		want            map[string]string
	}{
		{"login", "failure", 1, map[string]string{"reason": "state"}},
		{"deny", "refused", 1, map[string]string{"rule": "/partners/**", "reason": "groups", "session": login[0].text("session"), "email": login[0].text("email"), "client": "127.0.0.1"}},
		{"logout", "success", 3, map[string]string{"session": login[0].text("session"), "email": login[0].text("email"), "kind": "oidc"}},
		{"session_end", "success", 3, map[string]string{"session": login[0].text("session"), "email": login[0].text("email"), "reason": "logout"}},
		{"admin_read", "success", 1, map[string]string{"method": "GET", "path": "/api/sessions", "client": "127.0.0.1"}},
		{"admin_read", "refused", 1, map[string]string{"path": "/config", "reason": "token"}},
		{"admin_read", "failure", 1, map[string]string{"path": "/api/contacts"}},
		{"admin_change", "success", 1, map[string]string{"method": "DELETE", "path": "/api/sessions"}},
		{"reload", "success", 1, map[string]string{"protection": strings.TrimPrefix(w.site(), "http://") + "/board/**: public -> login"}},
		{"reload", "refused", 1, nil},
	} {
		found := audits(t, gw, c.action, c.outcome)
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
	ends := audits(t, gw, "session_end", "success")
	if operator := audits(t, gw, "admin_change", "success"); ends[1].text("reason") != "revoked" || ends[1].text("request_id") != operator[0].text("request_id") {
		t.Errorf("the operator's %v is not told by %v", operator, ends[1])
	}
}

func TestTheLogIsWhatItsDocumentSays(t *testing.T) {
	t.Parallel()
	w, _ := traced(t, "")
	gw := everyAction(t, w)
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
	for _, l := range lines(t, gw) {
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
				t.Errorf("docs/logs.md does not name the field %q of %v", field, l)
			}
		}
	}
	for kind, fields := range documented {
		for _, field := range fields {
			if kind != "" && !written[kind][field] && !slices.Contains([]string{"bytes", "suppressed", "suppressed_others"}, field) {
				t.Errorf("docs/logs.md names %q, and no %s line has it", field, kind)
			}
		}
	}
}

var quoted = regexp.MustCompile("`([a-z0-9_]+)`")

// documentedFields are the words that stand as fields in a section: of a table in its first column, or, of the audit lines, in the last.
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

func TestAnEMailStandsInTheLogAsThePolicySays(t *testing.T) {
	t.Parallel()
	for policy, right := range map[string]func(string) bool{
		"hash": func(got string) bool { return strings.HasPrefix(got, "hash:") },
		"full": func(got string) bool { return got == email },
		"none": func(got string) bool { return got == "" },
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.rewrite(func(text string) string { return text + "log: {email: " + policy + "}\n" })
			gw := w.serve()
			w.login(newVisitor(t), "/members/")
			eventually(t, "the login is in the log", func() bool { return len(audits(t, gw, "login", "success")) == 1 })
			if got := audits(t, gw, "login", "success")[0].text("email"); !right(got) {
				t.Errorf("the e-mail stands there as %q", got)
			}
			if strings.Contains(gw.out.String(), email) != (policy == "full") {
				t.Errorf("the address itself is in the log, or is not:\n%s", gw.out)
			}
		})
	}
}

func TestTheClientIsTheVisitorBehindATrustedProxyAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rewrite(func(text string) string {
		return strings.Replace(text, "server:\n", "server:\n  trusted_proxies: [127.0.0.0/8, \"::1\", 10.0.0.0/8]\n", 1)
	})
	gw := w.serve()
	w.get("/public", http.Header{"X-Forwarded-For": {"6.6.6.6, 203.0.113.9, 10.1.2.3"}, "X-Request-Id": {"from-the-balancer"}})
	gw.says(`"msg":"request"`)
	for _, l := range lines(t, gw) {
		if l.text("msg") == "request" && (l.text("client") != "203.0.113.9" || l.text("request_id") != "from-the-balancer") {
			t.Errorf("%v", l)
		}
	}
}
