package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(JSON())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON returns a YAML text as an editor's schema check sees it, and false if it is not YAML.
func asJSON(t *testing.T, text []byte) (any, bool) {
	t.Helper()
	var value any
	if yaml.Unmarshal(text, &value) != nil {
		return nil, false
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, false
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return document, true
}

// The schema accepts what check accepts, and rejects what check rejects for its shape.
func TestSchemaAgreesWithCheck(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	fixtures, err := filepath.Glob("../config/testdata/config/*.yaml")
	if err != nil || len(fixtures) < 60 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	shapes := []string{
		"unknown key", "expected a list", "expected a mapping", "expected a single value", "expected a rate",
		"empty entry", "is not a valid value", "is not a duration", "is not a boolean", "is not a whole number",
		"is not a list id", "is not a valid path", "id of the list is missing",
		"an empty list", "an empty mapping",
	}
	for _, path := range append(fixtures, "../../config.example.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		document, isYAML := asJSON(t, text)
		if !isYAML {
			continue
		}
		golden, _ := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".golden")
		refused := schema.Validate(document)
		misshapen := false
		for _, shape := range shapes {
			misshapen = misshapen ||
				strings.Contains(string(golden), "error: ") && strings.Contains(string(golden), shape)
		}
		switch served := len(golden) == 0 || strings.HasPrefix(string(golden), "exit status 0"); {
		case served && refused != nil:
			t.Errorf("%s: %v", path, refused)
		case misshapen && refused == nil:
			t.Errorf("%s passes the schema: %s", path, golden)
		}
	}
}

// forms are keys of a section, and whether the schema accepts them.
var forms = []struct {
	section int
	text    string
	good    bool
}{
	{0, "trusted_proxies: private", true}, {0, "trusted_proxies: off", true},
	{0, "trusted_proxies: [none]", true}, {0, "trusted_proxies: {a: b}", false},
	{0, "tls: {mode: off, hsts: 365d}", true}, {0, "tls: {hsts: 365}", false}, {0, "tls: none", false},
	{0, "tls: {mode: false, hsts: false}", true}, {0, "limits: {connections: false}", true},
	{0, "health_path: false", true}, {1, "max_request_body: false, files_cache: false", true},
	{2, "login_rate: false, client_auth: false", true}, {2, "login_rate: true", false},
	{0, "pprof: on", true}, {0, "pprof: maybe", false}, {0, "limits: {connections_per_address: 100}", true},
	{0, "limits: {connections_per_address: none}", true}, {0, "limits: {connections_per_address: 0}", false},
	{0, "drain_delay: 0s", true}, {0, "drain_delay: '${DELAY:-5s}'", true}, {0, "drain_delay: 5", false},
	{0, "listen: ~", true}, {0, "health_path: off", true}, {0, "health_path: '${HEALTH}'", true},
	{0, "health_path: /a.b/c-d_~", true}, {0, "health_path: /a/", false}, {0, "health_path: /.a", false},
	{0, "health_path: none", true}, {0, "health_path: ~", true}, {0, "health_path: true", false},
	{1, "rules: [{path: /a}]", true}, {1, "rules: [{path: [/a, /b], groups: [1, x]}]", true},
	{1, "rules: [{path: /a, claims: {a: b, c: [true, 3]}}]", true}, {1, "rules: [{path: /a, groups: x}]", false},
	{1, "rules: [{paths: /a}]", false}, {1, "rules: [~]", false}, {1, "rules: [{path: /a, groups: []}]", false},
	{1, "max_request_body: 10MiB", true}, {1, "max_request_body: off", true},
	{1, "max_request_body: 10MB", false}, {1, "files_cache: no", true},
	{1, "tests: [{url: /a, expect: login, as: {}}]", true}, {1, "tests: [{url: /a, expect: denied}]", false},
	{1, "rules: [{path: /a, lists: [a]}]", true}, {1, "rules: [{path: /a, lists: []}]", false},
	{1, "tests: [{url: /a, expect: login, as: {lists: [a], properties: {b: c, d: [e]}}}]", true},
	{2, "login_rate: none", true}, {2, "login_rate: {requests: 30, per: 1m}", true},
	{2, "login_rate: 30", false}, {2, "refresh_grace: none", true}, {2, "forward_auth: headers", true},
	{2, "forward_auth: traefik", false}, {2, "client_auth: off", true}, {2, "client_auth: basic", false},
	{2, "clock_skew: 0s", true}, {2, "scopes: openid", false}, {3, "cache_ttl: none", true},
	{3, "lifetime: none", false}, {3, "lifetime: 1d12h", true}, {3, "redis: {mode: solo}", false},
	{4, "rate_limit: 90", false}, {4, "rate_limit: ~", true},
	{4, "hub_id: 0", true}, {4, "hub_id: '4711'", true}, {4, "hub_id: x", false},
	{4, "contacts: {properties: {a: b, c: {claim: d}, e: {value: host, write: if_empty}}}", true},
	{4, "contacts: {properties: {a: {claim: b, value: '', write: ''}}}", true}, {1, "files_cache: ''", false},
	{4, "contacts: {properties: {a: {value: now}}}", false},
	{4, "contacts: {properties: {a: {clam: b}}}", false}, {4, "visitors: {link: no}", true},
	{4, "rate_limit: {requests: 90, per: 10s}", true},
	{4, "access: {properties: [a], lists: {b: 12, c: '34', d: '${ID}'}, refresh: 5m}", true},
	{4, "access: {lists: {b: customers}}", false}, {4, "access: {lists: {b: -1}}", false},
	{5, "sample: 0.1", true}, {5, "sample: '1e-3'", true}, {5, "sample: '${SAMPLE:-1}'", true},
	{5, "sample: 0", false}, {5, "sample: 10", false}, {5, "sample: 10%", false},
	{4, "access: {lists: [12]}", false}, {4, "access: {properties: a}", false}, {4, "access: {refresh: 0.5}", false},
}

func TestSchemaAcceptsEveryForm(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	base := `version: 1
server: {public_urls: [x], %s}
proxy: {origin: x, default: public, %s}
auth: {client_id: 5, %s}
session: {keys: [x], %s}
hubspot: {%s}
tracing: {%s}
`
	for _, c := range forms {
		text := base
		for i := range 6 {
			fill := ""
			if i == c.section {
				fill = c.text
			}
			text = strings.Replace(text, "%s", fill, 1)
		}
		document, isYAML := asJSON(t, []byte(text))
		if err := schema.Validate(document); !isYAML || (err == nil) != c.good {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}
