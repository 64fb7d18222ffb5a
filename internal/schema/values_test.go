package schema

import (
	"path/filepath"
	"strings"
	"testing"
)

// place returns a file with a value at a key, also of the entries of lists and mappings.
func place(t *testing.T, path string, value any) string {
	t.Helper()
	for list, fields := range map[string]map[string]any{
		rulesPath: {"path": "/a/**"}, "proxy.tests": {"url": "/a", "expect": "login"}, propertiesPath: {},
	} {
		below, isEntry := strings.CutPrefix(path, list+".")
		if !isEntry {
			continue
		}
		if section, name, nested := strings.Cut(below, "."); nested {
			fields[section] = map[string]any{name: value}
		} else {
			fields[below] = value
		}
		if list == propertiesPath {
			return with(t, list, map[string]any{"a": fields})
		}
		return with(t, list, []any{fields})
	}
	return with(t, path, value)
}

// Words are those that check accepts: every one of them, and no other.
func TestWordsAreThoseOfCheck(t *testing.T) {
	t.Parallel()
	schema, count := compiledSchema(t), 0
	tree().each(func(n *node) {
		for _, word := range append(n.Words, "nonsense") {
			if len(n.Words) == 0 || n.of.Kind().String() == "slice" {
				continue
			}
			count++
			text := place(t, n.Path, word)
			_, rep := loaded(t, text)
			refused := strings.Contains(strings.Join(rep.Lines(), "\n"), "is not a valid value")
			document, _ := asJSON(t, []byte(text))
			if err := schema.Validate(document); refused != (word == "nonsense") || (err != nil) != refused {
				t.Errorf("%s: %s: %v, %q", n.Path, word, err, rep.Lines())
			}
		}
	})
	if count < 60 {
		t.Errorf("only %d words", count)
	}
}

// Examples have the right form for check and for the schema. Some are mistakes in the smallest file for another reason,
// such as a file that is not there.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	schema, count := compiledSchema(t), 0
	wrong := []string{"unknown key", "expected a", "is not a", "is not valid", "out of range", "must be", "neither"}
	tree().each(func(n *node) {
		for _, example := range n.Examples {
			count++
			text := place(t, n.Path, parsed(example))
			document, _ := asJSON(t, []byte(text))
			if err := schema.Validate(document); err != nil {
				t.Errorf("%s: %s: %v", n.Path, example, err)
			}
			_, rep := loaded(t, text)
			for _, line := range rep.Lines() {
				for _, word := range wrong {
					if strings.Contains(line, " "+n.Path) && strings.Contains(line, word) {
						t.Errorf("%s: %s", example, line)
					}
				}
			}
		}
	})
	if count < 80 {
		t.Errorf("only %d examples", count)
	}
}

// Whatever check accepts at any key, the schema accepts too: an editor must not mark what works.
func TestSchemaAcceptsWhateverCheckAccepts(t *testing.T) {
	t.Parallel()
	values := []any{
		"", "none", "off", "true", "5s", "1d12h", "10MiB", "5", "0.5", "${NOT_SET:-5s}", "/a", "https://www.example.com",
		0, 5, 0.5, true, false, []any{}, []any{5, true}, map[string]any{}, map[string]any{"a": 5},
		map[string]any{"a": []any{"b"}},
	}
	schema, accepted, file := compiledSchema(t), 0, filepath.Join(t.TempDir(), "hubgate.yaml")
	tree().each(func(n *node) {
		for _, value := range values {
			text := place(t, n.Path, value)
			if _, rep := loadedFrom(t, file, text); rep.Failed() {
				continue
			}
			accepted++
			document, _ := asJSON(t, []byte(text))
			if err := schema.Validate(document); err != nil {
				t.Errorf("check accepts %s: %#v: %v", n.Path, value, err)
			}
		}
	})
	if accepted < 300 {
		t.Errorf("check accepts only %d values", accepted)
	}
}
