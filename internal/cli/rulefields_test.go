package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/internal/schema"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/proxy/rules"
)

// ruleFields has a row for each field of a rule: a strict and a loose rule that differ only in this field, an address
// that both match, and two visitors. The strict rule admits only the first visitor, the loose rule both. A field
// without an effect on protection has a reason instead.
var ruleFields = map[string]struct {
	strict, loose string
	address       string // default: /a
	words         string // of the strict one, in explain; default: its value
	in, out       visit
	public        string // why the field makes sense with access: public; otherwise that is an error
	reason        string
}{
	"Path": {strict: "{path: /a/**}", loose: "{path: /a}", address: "/a/x", words: "/a/**",
		in: visit{who: someone()}, public: "the page that is public"},
	"Access": {strict: "{path: /a, access: login}", loose: "{path: /a, access: public}", words: "asks for   login",
		in: visit{who: someone()}, public: "the key itself"},
	"Hosts": {strict: "{path: /a/**, hosts: [www.example.com, shop.example.com]}",
		loose: "{path: /a/**, hosts: [shop.example.com]}", words: "/a/**, ",
		in: visit{who: someone()}, public: "where the page is public"},
	"Groups": {strict: "{path: /a, groups: [staff]}", loose: "{path: /a, groups: [staff, guest]}",
		words: "groups staff", in: visit{who: someone("staff")}, out: visit{who: someone("guest")}},
	"Claims": {strict: "{path: /a, claims: {tier: [gold]}}", loose: "{path: /a, claims: {tier: [gold, wood]}}",
		words: "tier gold", in: visit{who: tier("gold")}, out: visit{who: tier("wood")}},
	"Lists": {strict: "{path: /a, lists: [customers]}", loose: "{path: /a, lists: [customers, beta]}",
		words: "lists customers (1)", in: visit{who: inList("1")}, out: visit{who: inList("2")}},
	"MaxAuthAge": {strict: "{path: /a, max_auth_age: 1h}", loose: "{path: /a, max_auth_age: 2h}",
		words: "max_auth_age 1h", in: visit{who: loggedIn(59 * time.Minute)},
		out: visit{who: loggedIn(61 * time.Minute)}},
	"Methods": {strict: "{path: /a, methods: [GET]}", loose: "{path: /a, methods: [GET, POST]}",
		words: "methods GET", in: visit{who: someone()}, out: visit{who: someone(), method: "POST"},
		public: "a public page that takes no form"},
	"Name": {reason: "a word in logs and metrics", strict: "{path: /a, name: board}", words: "board",
		public: "logs name public pages too"},
	"Line": {reason: "where the rule stands in the file, not a key of it"},
}

// Each field of a rule must affect the decision, the comparison of rules, and the output of explain and diff, and be in
// the schema, the reference and the example. A field that misses one of them would protect less than it seems to.
func TestRuleFieldsAreComplete(t *testing.T) {
	t.Parallel()
	fields := reflect.TypeFor[rules.RuleConfig]()
	rows := slices.Collect(maps.Keys(ruleFields))
	for i := range fields.NumField() {
		field := fields.Field(i)
		row, known := ruleFields[field.Name]
		rows = slices.DeleteFunc(rows, func(name string) bool { return name == field.Name })
		if !known {
			t.Errorf("ruleFields has no row for %s: say with two values what it protects, or why it does not",
				field.Name)
			continue
		}
		if key := field.Tag.Get("yaml"); key != "-" {
			isDocumented(t, key)
		}
		if row.strict != "" {
			publicTakes(t, row.strict, row.public)
		}
		strict, _, explained := rulesWith(t, row.strict, row.address)
		if row.strict != "" && !strings.Contains(explained, row.words) {
			t.Errorf("%s: explain does not say %q:\n%s", field.Name, row.words, explained)
		}
		if row.reason != "" {
			continue
		}
		loose, file, other := rulesWith(t, row.loose, row.address)
		if other == explained {
			t.Errorf("%s: explain says the same of %s and %s:\n%s", field.Name, row.strict, row.loose, explained)
		}
		if !loose.MoreOpen(strict.Protection) || strict.MoreOpen(loose.Protection) ||
			loose.String() == strict.String() {
			t.Errorf("%s: %s must be more open than %s", field.Name, loose, strict)
		}
		row.in.checkAdmission(t, field.Name, row.strict, strict, true)
		row.in.checkAdmission(t, field.Name, row.loose, loose, true)
		row.out.checkAdmission(t, field.Name, row.strict, strict, false)
		row.out.checkAdmission(t, field.Name, row.loose, loose, true)
		status, stdout, _ := hubgate(t, "diff", strict.file, file)
		if status != command.ExitFailed || !strings.Contains(stdout, "MORE OPEN") {
			t.Errorf("%s: diff to the more open one: %d %s", field.Name, status, stdout)
		}
		status, stdout, _ = hubgate(t, "diff", file, strict.file)
		if status != command.ExitOK || strings.Contains(stdout, "No path changes") {
			t.Errorf("%s: diff to the stricter one: %d %s", field.Name, status, stdout)
		}
	}
	if len(rows) > 0 {
		t.Errorf("ruleFields has rows for fields that are gone: %q", rows)
	}
}

// protection is what one rule requires at an address, and the file with the rule.
type protection struct {
	rules.Protection
	file    string
	cfg     *config.Config
	subject rules.Subject
}

func rulesWith(t *testing.T, rule, address string) (at protection, file, explained string) {
	t.Helper()
	if rule == "" {
		return protection{}, "", ""
	}
	if address == "" {
		address = "/a"
	}
	file, cfg, rep := configWith(t, rule)
	if rep.Failed() {
		t.Fatal(rule, rep.Lines())
	}
	ruleSet, _ := rules.New(cfg.Proxy.AccessRules(), cfg.RulesEnv())
	subject, err := rules.ParseSubject(address, cfg.Server.Sites())
	if err != nil {
		t.Fatal(err)
	}
	_, explained, _ = hubgate(t, "explain", "--config", file, address)
	at = protection{ruleSet.Protection(subject.Host, subject.Path, 0), file, cfg, subject}
	return at, file, strings.ReplaceAll(explained, file, "hubgate.yaml")
}

func configWith(t *testing.T, rule string) (file string, cfg *config.Config, rep *config.Report) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "hubgate.yaml")
	text := fmt.Sprintf(`version: 1
server: {public_urls: ["https://www.example.com", "https://shop.example.com"], trusted_proxies: private}
proxy: {origin: "https://1.sites-proxy.hscoscdn10.net", default: public, rules: [%s]}
auth: {issuer: "https://login.example.net", client_id: x, client_auth: none}
session: {keys: [%q]}
hubspot: {access_token: x, access: {lists: {customers: 1, beta: 2}}}
`, rule, seal.NewKey())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, rep = config.Load(file, func(string) string { return "" })
	return file, cfg, rep
}

// publicTakes checks that access: public is an error with a key that requires something of the user.
func publicTakes(t *testing.T, rule, reason string) {
	t.Helper()
	if !strings.Contains(rule, "access:") {
		rule = strings.TrimSuffix(rule, "}") + ", access: public}"
	}
	if _, _, rep := configWith(t, rule); rep.Failed() == (reason != "") {
		t.Errorf("%s is valid: %v, because %q: %v", rule, !rep.Failed(), reason, rep.Lines())
	}
}

// isDocumented checks that a key of a rule is in the schema, the reference and the example.
func isDocumented(t *testing.T, key string) {
	t.Helper()
	at := schema.JSON()
	for _, name := range []string{"properties", "proxy", "properties", "rules", "items", "properties", key} {
		next, ok := at[name].(map[string]any)
		if !ok {
			t.Errorf("the schema has no %s of a rule", key)
			break
		}
		at = next
	}
	line := regexp.MustCompile(`(?m)^[ #-]*` + key + `: .*# `)
	reference := configtest.Read(t, "docs", "configuration.md")
	_, reference, _ = strings.Cut(reference, "### Rules")
	reference, _, _ = strings.Cut(reference, "###")
	_, example, _ := strings.Cut(configtest.Read(t, "config.example.yaml"), "\n  rules:")
	example, _, _ = strings.Cut(example, "\n  hubspot:")
	for place, text := range map[string]string{"docs/configuration.md": reference, "config.example.yaml": example} {
		if !line.MatchString(text) {
			t.Errorf("%s does not show %s, with a comment, among the rules", place, key)
		}
	}
}

// Diff compares patterns at example paths. A pattern whose example cannot be parsed would be left out.
func TestDiffComparesSpecialCharacters(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"/board room/**", "/hubfs/a b/**", "/hubfs/c%23/**", "/hubfs/a;b/**",
		"/hubfs/what%3f/**", "/100%25/**", "/hubfs/My%2520File/**", "/hubfs/Acme™/**", "/straße/**", "/a+b/**"} {
		strict, _, _ := rulesWith(t, fmt.Sprintf("{path: %q, groups: [staff]}", pattern), "/")
		loose, _, _ := rulesWith(t, fmt.Sprintf("{path: %q, groups: [staff, guest]}", pattern), "/")
		status, stdout, _ := hubgate(t, "diff", strict.file, loose.file)
		if status != command.ExitFailed || !strings.Contains(stdout, pattern) {
			t.Errorf("%s: %d %s", pattern, status, stdout)
		}
	}
}
