package schema

import (
	"reflect"
	"strings"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
)

// node is one key of the file: its description, its type, and the keys below it.
type node struct {
	Key
	name string
	of   reflect.Type
	// standard is the value that the loader starts from. It is not valid for keys of entries of lists and mappings.
	standard reflect.Value
	below    []*node
	// wordsAbove means that the sentence of the section has the words.
	wordsAbove bool
}

// tree returns the file as a node without a name. The keys are those of the structs that the loader fills.
func tree() *node {
	known := map[string]Key{}
	for _, k := range Keys() {
		known[k.Path] = k
	}
	root := &node{of: reflect.TypeFor[config.Config](), standard: reflect.ValueOf(config.Default()).Elem()}
	root.grow(known)
	return root
}

func (n *node) grow(known map[string]Key) {
	t, standard := n.of, n.standard
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t, standard = t.Elem(), reflect.Value{}
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		path := strings.TrimPrefix(n.Path+"."+name, ".")
		child := &node{Key: known[path], name: name, of: t.Field(i).Type}
		child.Path = path
		child.wordsAbove = len(child.Words) > 0 && strings.Contains(n.Text, strings.Join(child.Words, " | "))
		if standard.IsValid() {
			child.standard = standard.Field(i)
		}
		child.grow(known)
		n.below = append(n.below, child)
	}
}

// each calls visit for each key below a node, sections before their keys.
func (n *node) each(visit func(*node)) {
	for _, child := range n.below {
		visit(child)
		child.each(visit)
	}
}

// isSection reports whether the node is a mapping with fixed keys that are written on lines of their own.
func (n *node) isSection() bool {
	return n.of.Kind() == reflect.Struct && n.of != reflect.TypeFor[setting.Rate]()
}
