package schema

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/configtest"
)

func TestEveryKeyHasARow(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, k := range Keys() {
		if rows[k.Path] {
			t.Errorf("%s has two rows", k.Path)
		}
		rows[k.Path] = true
	}
	tree().each(func(n *node) {
		if !rows[n.Path] {
			t.Errorf("%s has no row: describe it in internal/schema", n.Path)
		}
		delete(rows, n.Path)
	})
	for path := range rows {
		t.Errorf("the loader knows no key %s", path)
	}
}

var sentenceStyle = regexp.MustCompile("^[A-Za-z`][^\n]*[^.\\s]$")

func TestEveryRowIsComplete(t *testing.T) {
	t.Parallel()
	tree().each(func(n *node) {
		if !sentenceStyle.MatchString(n.Text) || strings.Count(n.Text+n.More, "`")%2 != 0 {
			t.Errorf("%s: not a sentence without full stop: %q", n.Path, n.Text)
		}
		if n.More != "" && !strings.HasSuffix(n.More, ".") {
			t.Errorf("%s: not whole sentences: %q", n.Path, n.More)
		}
		if n.isUnset() && len(n.Words) == 0 && len(n.Examples) == 0 {
			t.Errorf("%s has neither a default nor an example", n.Path)
		}
		if free := len(n.below) == 0 && strings.HasPrefix(n.of.String(), "map["); free && n.Entry == "" {
			t.Errorf("%s does not describe its entries", n.Path)
		}
		if len(n.Words) > 0 && n.Usual != "" && !slices.Contains(n.Words, n.Usual) {
			t.Errorf("%s: %s is not one of its words", n.Path, n.Usual)
		}
	})
}

// Editors show description or markdownDescription of the property itself, not of a branch of its anyOf.
func TestEveryPropertyHasADescription(t *testing.T) {
	t.Parallel()
	count := 0
	eachProperty(JSON(), "", func(path string, property map[string]any) {
		count++
		for _, kind := range []string{"description", "markdownDescription"} {
			if text, _ := property[kind].(string); len(text) < len("A word.") {
				t.Errorf("%s has the %s %q", path, kind, text)
			}
		}
	})
	if count < 140 {
		t.Errorf("only %d properties", count)
	}
}

// eachProperty calls visit for each property of a schema, also below lists, mappings and anyOf.
func eachProperty(s map[string]any, path string, visit func(string, map[string]any)) {
	properties, _ := s["properties"].(map[string]any)
	for name, property := range properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		visit(at, property.(map[string]any))
		eachProperty(property.(map[string]any), at, visit)
	}
	some, _ := s["anyOf"].([]any)
	for _, one := range append(some, s["items"], s["additionalProperties"]) {
		if one, ok := one.(map[string]any); ok {
			eachProperty(one, path, visit)
		}
	}
}

func TestChaptersExist(t *testing.T) {
	t.Parallel()
	for path, chapter := range chapters {
		document, anchor, _ := strings.Cut(chapter, "#")
		found := anchor == ""
		for _, line := range strings.Split(configtest.Read(t, "docs", document), "\n") {
			heading, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
			slug := strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(strings.ToLower(heading))
			found = found || isHeading && slug == anchor
		}
		if !found {
			t.Errorf("%s: there is no %s", path, chapter)
		}
	}
}

// The YAML language server tells the forms of a key apart by their titles.
func TestFormsOfAKeyHaveDifferentTitles(t *testing.T) {
	t.Parallel()
	count := 0
	eachProperty(JSON(), "", func(path string, property map[string]any) {
		titles := map[any]bool{}
		forms, _ := property["anyOf"].([]any)
		for _, form := range forms {
			titles[form.(map[string]any)["title"]] = true
		}
		count += len(forms)
		if len(titles) != len(forms) || titles[nil] || property["title"] != path {
			t.Errorf("%s has the title %v and %d forms with the titles %v", path, property["title"], len(forms), titles)
		}
	})
	if count < 100 {
		t.Errorf("only %d forms", count)
	}
}

// The reference lists the keys that need a restart, by their names or by that of their section.
func TestRestartsAreDocumented(t *testing.T) {
	t.Parallel()
	_, list, found := strings.Cut(configtest.Read(t, "docs", "configuration.md"), "These keys need a restart: ")
	list, _, _ = strings.Cut(list, "\n\n")
	count := 0
	tree().each(func(n *node) {
		if n.isSection() || !n.restarts() {
			return
		}
		count++
		names, listed := strings.Split(n.Path, "."), false
		for end := 1; end <= len(names); end++ {
			for start := range end {
				listed = listed || strings.Contains(list, "`"+strings.Join(names[start:end], ".")+"`")
			}
		}
		if !listed {
			t.Errorf("docs/configuration.md does not say that %s needs a restart", n.Path)
		}
	})
	if !found || count < 20 {
		t.Errorf("only %d keys need a restart", count)
	}
}
