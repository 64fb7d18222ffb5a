package schema

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// ID is the address of config.schema.json on the main branch, so that editors that follow it get the same file.
const ID = "https://raw.githubusercontent.com/hubgate/hubgate/main/config.schema.json"

// JSON returns the JSON Schema of the file. It is draft-07, which editors support best.
func JSON() map[string]any {
	s := tree().object()
	s["$schema"], s["$id"] = "http://json-schema.org/draft-07/schema#", ID
	s["title"] = "hubgate configuration"
	s["description"] = "Configuration of hubgate, version 1. Keys that are left out keep their default."
	return s
}

// schema returns the schema of a key: what it accepts, and what editors show about it.
func (n *node) schema() map[string]any {
	s := n.shape(n.of)
	if n.Required {
		s = filled(s)
	}
	label(s, n.Path)
	s["description"] = n.description()
	s["markdownDescription"] = n.markdown()
	if text := n.defaultText(); text != "" && !n.isSection() {
		s["default"] = parsed(text)
	}
	var examples []any
	for _, text := range n.Examples {
		examples = append(examples, parsed(text))
	}
	if examples != nil {
		s["examples"] = examples
	}
	return s
}

// label gives a schema and its forms the name of the key as their title, which editors show as the heading. The titles
// must differ: the YAML language server tells forms apart by them, and else shows the descriptions of all as one.
func label(s map[string]any, name string) {
	s["title"] = name
	forms, _ := s["anyOf"].([]any)
	for i, form := range forms {
		form := form.(map[string]any)
		if title, has := form["title"]; has && i > 0 {
			form["title"] = fmt.Sprintf("%s (%s)", name, title)
		} else {
			form["title"] = name
		}
	}
}

// shape returns the schema of the values that a type of this key accepts.
func (n *node) shape(t reflect.Type) map[string]any {
	if s := n.scalar(t); s != nil {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return n.shape(t.Elem())
	case reflect.Map:
		entry := n.shape(t.Elem())
		s := map[string]any{"type": []string{"object", "null"}, "additionalProperties": entry}
		if n.NotEmpty {
			s["minProperties"], s["additionalProperties"] = 1, filled(entry)
		}
		if n.Entry != "" {
			label(entry, n.Path+".NAME")
			entry["description"] = sentence(n.Entry)
		}
		return s
	case reflect.Slice:
		s := map[string]any{"type": []string{"array", "null"}, "items": filled(n.shape(t.Elem()))}
		if n.NotEmpty {
			s["minItems"] = 1
		}
		return orWord(t, s)
	}
	return orWord(t, n.object())
}

// object returns the schema of a mapping with the keys below the node.
func (n *node) object() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, child := range n.below {
		properties[child.name] = child.schema()
		if child.Required {
			required = append(required, child.name)
		}
	}
	s := map[string]any{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"], s["type"] = required, "object"
	}
	return s
}

// orWord also allows the scalar that a type accepts in place of its mapping or list.
func orWord(t reflect.Type, s map[string]any) map[string]any {
	switch {
	case t == reflect.TypeFor[setting.Rate]():
		return anyOf(s, off(), titled("none", oneText("", nonePattern)))
	case reflect.PointerTo(t).Implements(reflect.TypeFor[setting.Word]()):
		return anyOf(s, titled("one value", map[string]any{"type": []string{"string", "number", "boolean"}}))
	}
	return s
}

// description returns what editors show about a key, as plain text.
func (n *node) description() string { return plain(n.markdownText()) }

func (n *node) markdownText() string {
	facts := []string{sentence(n.Text)}
	if n.More != "" {
		facts = append(facts, n.More)
	}
	if hint := hints[n.of]; hint != "" {
		facts = append(facts, hint)
	}
	if n.Required {
		facts = append(facts, "Required.")
	}
	if usual := n.usual(); usual != "" {
		facts = append(facts, "Default: "+usual+".")
	}
	if n.restarts() {
		facts = append(facts, "A change needs a restart.")
	}
	return strings.Join(facts, " ")
}

// usual returns the default in words, or "" if it is empty.
func (n *node) usual() string {
	switch text := n.defaultText(); {
	case n.Usual != "":
		return n.Usual
	case n.isSection() || strings.Trim(text, `"[]{}`) == "":
		return ""
	default:
		return "`" + text + "`"
	}
}

// hints say how values of a type are written.
var hints = map[reflect.Type]string{
	reflect.TypeFor[setting.Duration]():       "A duration such as 30s, 15m, 12h or 7d.",
	reflect.TypeFor[setting.DurationOrNone](): "A duration such as 30s, 15m, 12h or 7d, or none.",
	reflect.TypeFor[setting.Size]():           "A size such as 64KiB, 10MiB or 1GiB.",
	reflect.TypeFor[setting.SizeOrNone]():     "A size such as 64KiB, 10MiB or 1GiB, or none.",
	reflect.TypeFor[setting.CountOrNone]():    "A whole number above 0, or none.",
	reflect.TypeFor[setting.Secret]():         "Better `${NAME}` or `${file:PATH}` than the secret itself.",
	reflect.TypeFor[[]setting.Secret]():       "Better `${NAME}` or `${file:PATH}` than the secrets themselves.",
}

// sentence returns a text of the table as a sentence.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
