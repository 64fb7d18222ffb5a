package schema

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config"
)

// commentedOut matches the lines of entries that the example shows as comments.
var commentedOut = regexp.MustCompile(`(?m)^( {2,20})# ((?:- | {2,})\S.*)$`)

// complete returns the example with its commented entries, and with the lists and properties that these name.
func complete() string {
	text := commentedOut.ReplaceAllString(string(Example()), "$1$2")
	return filledIn(strings.NewReplacer("\n    lists: {}  ", "\n    lists: {customers: 1234}  ",
		"\n    properties: []  ", "\n    properties: [member_tier]  ").Replace(text))
}

// filledIn replaces the placeholders by valid values.
func filledIn(text string) string {
	return strings.NewReplacer("REPLACE_HOST", "www.example.com", "REPLACE_HUBID", "12345618",
		"REPLACE_REGION_AND_POOL", "eu-west-1_AbCdEf123", "REPLACE_CLIENT_ID", "client",
		"REPLACE_CLIENT_SECRET", "${COGNITO_CLIENT_SECRET}", "[REPLACE_KEY]", `["${HUBGATE_KEY}"]`).Replace(text)
}

// The example shows each key at its place, also those of rules, tests and mapped properties, so that it can be copied.
func TestExampleShowsEveryKey(t *testing.T) {
	t.Parallel()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(complete()), &file); err != nil {
		t.Fatal(err)
	}
	root := tree()
	root.each(func(n *node) {
		if !isShown(root, strings.Split(n.Path, "."), file) {
			t.Errorf("config.example.yaml does not show %s", n.Path)
		}
	})
}

// isShown reports whether a value of the file has a key, or one of the entries of a list or mapping on the way to it.
func isShown(n *node, names []string, value any) bool {
	if len(names) == 0 {
		return true
	}
	var child *node
	for _, below := range n.below {
		if below.name == names[0] {
			child = below
		}
	}
	switch value := value.(type) {
	case []any:
		for _, entry := range value {
			if isShown(n, names, entry) {
				return true
			}
		}
	case map[string]any:
		if next, has := value[names[0]]; has && isShown(child, names[1:], next) {
			return true
		}
		for entry := range maps.Values(value) {
			if strings.HasPrefix(n.of.String(), "map[") && isShown(n, names, entry) {
				return true
			}
		}
	}
	return false
}

func TestExampleIsReadable(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(string(Example()), "\n") {
		if len(line) > 120 || strings.TrimRight(line, " ") != line {
			t.Errorf("line %d is too long, or ends with a space: %s", i+1, line)
		}
		text, comment, commented := strings.Cut(line, "  # ")
		if i > len(strings.Split(exampleHead, "\n")) && strings.Contains(text, ":") && (!commented || comment == "") {
			name := strings.Trim(text, " -#")
			if !strings.HasPrefix(name, "path:") && !strings.HasPrefix(name, "url:") && // later entries
				!strings.HasPrefix(name, "as:") && !strings.HasPrefix(name, "expect:") {
				t.Errorf("line %d has no sentence: %s", i+1, line)
			}
		}
	}
}

// Each placeholder is a mistake, so that a copied example never calls another account.
func TestExampleIsRefusedWithItsPlaceholders(t *testing.T) {
	t.Parallel()
	_, rep := loaded(t, string(Example()))
	for _, line := range rep.Lines() {
		if !strings.Contains(line, "placeholder") {
			t.Error(line)
		}
	}
	placeholders := strings.Count(string(Example()), "REPLACE_") - 1 // one is in the first comment
	if len(rep.Lines()) != placeholders {
		t.Errorf("%d problems for %d placeholders", len(rep.Lines()), placeholders)
	}
}

func TestExampleShowsDefaults(t *testing.T) {
	t.Parallel()
	got, rep := loaded(t, filledIn(string(Example())))
	for _, line := range rep.Lines() {
		t.Error(line)
	}
	want := config.Default()
	want.Version = got.Version
	want.Server.PublicURLs, want.Server.TrustedProxies = got.Server.PublicURLs, got.Server.TrustedProxies
	want.Proxy.Origin, want.Proxy.Default = got.Proxy.Origin, got.Proxy.Default
	want.Proxy.Rules, want.Proxy.Tests = got.Proxy.Rules, got.Proxy.Tests
	want.Auth.UserPool, want.Auth.ClientID = got.Auth.UserPool, got.Auth.ClientID
	want.Auth.ClientSecret = got.Auth.ClientSecret
	want.Session.Keys = got.Session.Keys
	want.HubSpot.Contacts.Properties = got.HubSpot.Contacts.Properties
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("it does not show the defaults: -default +example\n%s", diff)
	}
}

func TestExampleIsValidWithItsComments(t *testing.T) {
	t.Parallel()
	text := strings.Replace(complete(), `access_token: ""`, `access_token: ${HUBSPOT_TOKEN}`, 1)
	cfg, rep := loaded(t, text)
	for _, line := range rep.Lines() {
		if !strings.Contains(line, `no rule asks for "member_tier"`) {
			t.Error(line)
		}
	}
	if len(cfg.Proxy.Rules) != 3 || len(cfg.Proxy.Tests) != 3 || len(cfg.HubSpot.Access.Lists) != 1 {
		t.Errorf("%d rules, %d tests", len(cfg.Proxy.Rules), len(cfg.Proxy.Tests))
	}
}
