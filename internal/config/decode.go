package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/setting"
)

// decoder fills Config structs from YAML nodes. It walks the nodes and the struct side by side, so that one pass finds
// every unknown, duplicate and mistyped key with its place; yaml.v3 itself stops early and loses columns.
type decoder struct {
	report *Report
	expand *source.Expander
	nodes  int

	placeholders []string            // keys whose values have one
	homes        map[string][]string // see keyHomes
}

// Limits of a file: aliases can make a small file enormous or endless (CWE-776).
const (
	maxNodes = 200_000
	maxDepth = 32
)

// location is the key of a value, and the place that its problems are reported at.
type location struct {
	key   string
	place place
	depth int
}

func (l location) child(key string, node *yaml.Node) location {
	return location{key: key, place: place{node.Line, node.Column}, depth: l.depth + 1}
}

// decode sets v to the value of a node, and reports what does not fit.
func (d *decoder) decode(node *yaml.Node, v reflect.Value, l location) {
	d.nodes++
	if d.nodes > maxNodes || l.depth > maxDepth {
		if d.nodes <= maxNodes+1 || l.depth == maxDepth+1 {
			d.fail(l, "too many nested or repeated values", "remove the aliases")
		}
		return
	}
	if node.Kind == yaml.AliasNode {
		d.decode(node.Alias, v, l)
		return
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // the default stays
	}
	if v.Type() == reflect.TypeFor[setting.Secret]() {
		d.expand.Concealer.Add(node.Value)
	}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") || node.Tag == "!!binary" {
		// Its name is not shown: it may be a password that begins with an exclamation mark.
		d.failSection(l, "unsupported tag", "remove it, or quote a value that begins with !")
		return
	}
	if word, ok := v.Addr().Interface().(setting.Word); ok && node.Kind == yaml.ScalarNode {
		d.word(node, v, word, l)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(node, v, l)
	case reflect.Map:
		d.mapping(node, v, l)
	case reflect.Slice:
		d.list(node, v, l)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.decode(node, v.Elem(), l)
	default:
		d.scalar(node, v, l)
	}
}

func (d *decoder) fail(l location, text, cure string) { d.report.addAt(l.place, l.key, text, cure) }

// failSection is fail for a section or an entry that cannot be read, which suppresses the problems below it.
func (d *decoder) failSection(l location, text, cure string) {
	d.report.malformed[l.key] = true
	d.fail(l, text, cure)
}

func (d *decoder) structure(node *yaml.Node, v reflect.Value, l location) {
	if node.Kind != yaml.MappingNode {
		d.failSection(l, "expected a mapping, got "+nodeWords(node), "write its keys below it, indented")
		return
	}
	fields := fieldsOf(v.Type())
	d.pairs(node, l, func(name string, key, value *yaml.Node) {
		child := l.child(setting.Join(l.key, name), key)
		index, known := fields[name]
		if !known {
			meant, cure := d.meantBy(v.Type(), l, name, value)
			d.report.Findings = append(d.report.Findings,
				finding{place: child.place, Key: child.key, Text: unknownKey, Cure: cure})
			if meant != "" {
				d.report.misspelled = append(d.report.misspelled, meant)
			}
			return
		}
		d.report.at[child.key] = child.place
		d.decode(value, v.FieldByIndex(index), child)
		d.warnEmpty(value, v.Type(), name, child)
		d.checkColor(key, value, child)
	})
	if line := v.FieldByName("Line"); line.IsValid() && line.Kind() == reflect.Int {
		line.SetInt(int64(l.place.Line))
	}
}

// pairs calls visit for each pair of a mapping, except for keys that are duplicate or not text.
func (d *decoder) pairs(node *yaml.Node, l location, visit func(name string, key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		child := l.child(l.key, key)
		switch {
		case key.Kind != yaml.ScalarNode:
			d.fail(child, "a key must be text, not "+nodeWords(key), "write a plain word as the key")
			continue
		case key.Tag == "!!merge":
			d.fail(l.child(setting.Join(l.key, "<<"), key), "merge keys are not supported", "write out the keys")
			continue
		}
		child.key = setting.Join(l.key, key.Value)
		if first, doubled := seen[key.Value]; doubled {
			cure := "remove one of them"
			if value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode {
				cure = "merge them: move the lines below this one to the first"
			}
			d.fail(child, fmt.Sprintf("duplicate key, first on line %d", first), cure)
			continue
		}
		seen[key.Value] = key.Line
		visit(key.Value, key, value)
	}
}

func (d *decoder) mapping(node *yaml.Node, v reflect.Value, l location) {
	if node.Kind != yaml.MappingNode {
		cure := "write {name: value}"
		if v.Type() == reflect.TypeFor[map[string]access.ListID]() {
			cure = listsCure(node)
		}
		d.fail(l, "expected a mapping, got "+nodeWords(node), cure)
		return
	}
	m := reflect.MakeMap(v.Type())
	d.pairs(node, l, func(name string, key, value *yaml.Node) {
		child := l.child(setting.Join(l.key, name), key)
		d.report.at[child.key] = child.place
		element := reflect.New(v.Type().Elem()).Elem()
		if cure := nestedProperty(name, value); cure != "" && element.Kind() == reflect.Slice {
			d.fail(child, "expected a list, got a mapping", cure)
			return
		}
		d.decode(value, element, child)
		m.SetMapIndex(reflect.ValueOf(name), element)
	})
	v.Set(m)
}

func (d *decoder) list(node *yaml.Node, v reflect.Value, l location) {
	if node.Kind != yaml.SequenceNode {
		d.notList(node, v, l)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, entry := range node.Content {
		child := l.child(l.key+"["+strconv.Itoa(i)+"]", entry)
		d.report.at[child.key] = child.place
		if entry.Kind == yaml.ScalarNode && entry.Tag == "!!null" {
			d.failSection(child, "empty entry", "write a value, or remove the entry")
			continue
		}
		d.decode(entry, list.Index(i), child)
	}
	v.Set(list)
}

// nodeWords describes the kind of a node in words.
func nodeWords(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	return "a single value"
}

// fieldsOf maps the YAML keys of a struct to its fields.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			fields[name] = t.Field(i).Index
		}
	}
	return fields
}

// meantBy returns the key that an unknown one was probably meant to be, or "", and the cure. A misspelled key of the
// section comes before one of another section, except when only their names are alike.
func (d *decoder) meantBy(in reflect.Type, l location, name string, value *yaml.Node) (meant, cure string) {
	if meant, cure = otherWord(in, l, name, value); cure != "" {
		return meant, cure
	}
	names := slices.Sorted(maps.Keys(fieldsOf(in)))
	near := setting.Nearest(name, names)
	if meant, cure = d.misplaced(name); cure != "" && (near == "" || setting.Distance(name, near) > 1) {
		return meant, cure
	}
	if near != "" {
		return setting.Join(l.key, near), "did you mean " + near + "?"
	}
	return "", "known keys: " + strings.Join(names, ", ")
}
