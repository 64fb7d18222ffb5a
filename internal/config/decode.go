package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/setting"
)

// decoder fills Config structs from YAML nodes, strictly: it walks the nodes and the struct side by side, so that every unknown,
// doubled or mistyped key is found with its place, all in one pass. yaml.v3's own decoding loses strictness and columns.
type decoder struct {
	report *Report
	expand *expander
	nodes  int
}

// Bounds of a sane file; aliases can make a small one enormous, or endless.
const (
	maxNodes = 200_000
	maxDepth = 32
)

// at is where a value stands: what it is called, and the place that is named when it is wrong.
type at struct {
	key   string
	place place
	depth int
}

func (a at) child(key string, node *yaml.Node) at {
	return at{key: key, place: place{node.Line, node.Column}, depth: a.depth + 1}
}

func (d *decoder) decode(node *yaml.Node, v reflect.Value, a at) {
	d.nodes++
	if d.nodes > maxNodes || a.depth > maxDepth {
		if d.nodes <= maxNodes+1 || a.depth == maxDepth+1 {
			d.fail(a, "too many nested or repeated values", "remove the aliases")
		}
		return
	}
	if node.Kind == yaml.AliasNode {
		d.decode(node.Alias, v, a)
		return
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return // nothing behind the key: its default stays
	}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") || node.Tag == "!!binary" {
		d.misshape(a, "unsupported tag "+setting.Shorten(node.Tag), "remove it")
		return
	}
	if word, ok := v.Addr().Interface().(setting.Word); ok && node.Kind == yaml.ScalarNode {
		d.word(node, v, word, a)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(node, v, a)
	case reflect.Map:
		d.mapping(node, v, a)
	case reflect.Slice:
		d.list(node, v, a)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.decode(node, v.Elem(), a)
	default:
		d.scalar(node, v, a)
	}
}

func (d *decoder) fail(a at, text, cure string) { d.report.addAt(a.place, a.key, text, cure) }

// misshape is fail for a section that cannot be read at all.
func (d *decoder) misshape(a at, text, cure string) {
	d.report.shapes[a.key] = true
	d.fail(a, text, cure)
}

func (d *decoder) structure(node *yaml.Node, v reflect.Value, a at) {
	if node.Kind != yaml.MappingNode {
		d.misshape(a, "expected a mapping, got "+nodeWords(node), "write its keys below it, indented")
		return
	}
	fields := fieldsOf(v.Type())
	d.pairs(node, a, func(name string, key, value *yaml.Node) {
		child := a.child(setting.Join(a.key, name), key)
		index, known := fields[name]
		if !known {
			near, cure := meant(name, fields)
			d.report.Findings = append(d.report.Findings, finding{place: child.place, Key: child.key, Text: "unknown key", Cure: cure})
			if near != "" {
				d.report.meant = append(d.report.meant, setting.Join(a.key, near))
			}
			return
		}
		d.report.at[child.key] = child.place
		d.decode(value, v.FieldByIndex(index), child)
	})
	if line := v.FieldByName("Line"); line.IsValid() && line.Kind() == reflect.Int {
		line.SetInt(int64(a.place.Line))
	}
}

// pairs calls visit for each pair of a mapping whose key is a text that was not there before.
func (d *decoder) pairs(node *yaml.Node, a at, visit func(name string, key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		child := a.child(a.key, key)
		switch {
		case key.Kind != yaml.ScalarNode:
			d.fail(child, "a key must be text, not "+nodeWords(key), "write a plain word as the key")
			continue
		case key.Tag == "!!merge":
			d.fail(a.child(setting.Join(a.key, "<<"), key), "merge keys are not supported", "write out the keys")
			continue
		}
		child.key = setting.Join(a.key, key.Value)
		if first, doubled := seen[key.Value]; doubled {
			d.fail(child, fmt.Sprintf("duplicate key, first on line %d", first), "remove one of them")
			continue
		}
		seen[key.Value] = key.Line
		visit(key.Value, key, value)
	}
}

func (d *decoder) mapping(node *yaml.Node, v reflect.Value, a at) {
	if node.Kind != yaml.MappingNode {
		d.fail(a, "expected a mapping, got "+nodeWords(node), "write {name: value}")
		return
	}
	m := reflect.MakeMap(v.Type())
	d.pairs(node, a, func(name string, key, value *yaml.Node) {
		child := a.child(setting.Join(a.key, name), key)
		d.report.at[child.key] = child.place
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, element, child)
		m.SetMapIndex(reflect.ValueOf(name), element)
	})
	v.Set(m)
}

func (d *decoder) list(node *yaml.Node, v reflect.Value, a at) {
	if node.Kind != yaml.SequenceNode {
		cure := "write a list: [" + setting.Shorten(node.Value) + "]"
		text := "expected a list, got " + nodeWords(node)
		if strings.Contains(node.Value, "${") {
			text, cure = "expected a list, got ${...}", "write a list, with ${...} in its entries"
		} else if node.Kind == yaml.MappingNode {
			cure = "begin each entry with a dash (-)"
		}
		d.fail(a, text, cure)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, entry := range node.Content {
		child := a.child(a.key+"["+strconv.Itoa(i)+"]", entry)
		d.report.at[child.key] = child.place
		if entry.Kind == yaml.ScalarNode && entry.Tag == "!!null" {
			d.misshape(child, "empty entry", "write a value, or remove the entry")
			continue
		}
		d.decode(entry, list.Index(i), child)
	}
	v.Set(list)
}

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

// fieldsOf maps a struct's keys to its fields.
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

// meant is the key that an unknown one was probably meant to be, and what to write instead of it.
func meant(name string, fields map[string][]int) (near, cure string) {
	names := make([]string, 0, len(fields))
	for field := range fields {
		names = append(names, field)
	}
	slices.Sort(names)
	if near := setting.Nearest(name, names); near != "" {
		return near, "did you mean " + near + "?"
	}
	return "", "known keys: " + strings.Join(names, ", ")
}
