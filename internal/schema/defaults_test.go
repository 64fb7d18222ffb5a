package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/proxy/rules"
)

const propertiesPath = "hubspot.contacts.properties"

// Writing the default of any key into a file must make no difference: it is the value that the loader applies.
func TestDefaultsAreThoseOfTheLoader(t *testing.T) {
	t.Parallel()
	count, line := 0, cmpopts.IgnoreFields(rules.RuleConfig{}, "Line")
	defaults(t, func(path string, value any) {
		if strings.HasPrefix(path, rulesPath+".") || strings.HasPrefix(path, propertiesPath+".") {
			return
		}
		count++
		without := load(t, with(t, path, nil))
		if d := cmp.Diff(without, load(t, with(t, path, value)), cmpopts.EquateEmpty(), line); d != "" {
			t.Errorf("%s is not %v by default: -loader +schema\n%s", path, value, d)
		}
	})
	if count < 80 {
		t.Errorf("only %d defaults", count)
	}
}

func TestDefaultsOfEntriesMakeNoDifference(t *testing.T) {
	t.Parallel()
	known := 0
	defaults(t, func(path string, value any) {
		switch path {
		case rulesPath + ".access":
			known++
			without := load(t, with(t, rulesPath, []any{map[string]any{"path": "/a/**"}}))
			is := load(t, with(t, rulesPath, []any{map[string]any{"path": "/a/**", "access": value}}))
			if changes, err := config.Diff(without, is, nil); err != nil || len(changes) > 0 {
				t.Errorf("%s is not %v by default: %v %v", path, value, changes, err)
			}
		case propertiesPath + ".write":
			known++
			rule := func(property map[string]any) any {
				c := load(t, with(t, propertiesPath, map[string]any{"a": property})).HubSpot.Contacts
				mapped, _ := mapping.New(c).Rule("a")
				return mapped
			}
			without, is := rule(map[string]any{"claim": "b"}), rule(map[string]any{"claim": "b", "write": value})
			if !reflect.DeepEqual(without, is) {
				t.Errorf("%s is not %v by default: %v, %v", path, value, without, is)
			}
		default:
			if strings.HasPrefix(path, rulesPath+".") || strings.HasPrefix(path, propertiesPath+".") {
				t.Errorf("the default of %s, %v, is not tested", path, value)
			}
		}
	})
	if known != 2 {
		t.Errorf("%d defaults of entries, want 2", known)
	}
}

// defaults calls visit for each key of the schema that has a default.
func defaults(t *testing.T, visit func(path string, value any)) {
	t.Helper()
	text, err := json.Marshal(JSON())
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	eachProperty(decoded, "", func(path string, property map[string]any) {
		if value, has := property["default"]; has {
			visit(path, value)
		}
	})
}

// with returns the smallest configuration with a value at a key, or without the key if the value is nil.
func with(t *testing.T, path string, value any) string {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(configtest.Smallest(t)), &file); err != nil {
		t.Fatal(err)
	}
	section, names := file, strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		below, ok := section[name].(map[string]any)
		if !ok {
			below = map[string]any{}
			section[name] = below
		}
		section = below
	}
	if value == nil {
		delete(section, names[len(names)-1])
	} else {
		section[names[len(names)-1]] = value
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, _ := loaded(t, text)
	return cfg
}

func loaded(t *testing.T, text string) (*config.Config, *config.Report) {
	t.Helper()
	return loadedFrom(t, filepath.Join(t.TempDir(), "hubgate.yaml"), text)
}

func loadedFrom(t *testing.T, file, text string) (*config.Config, *config.Report) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file, configtest.Environment)
}
