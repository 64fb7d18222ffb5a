package schema

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
)

// The patterns of scalars. The value of ${...} is known only when the file is loaded.
const (
	anyExpansion    = `\$\{`
	emptyPattern    = `^$`
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$`
	sizePattern     = `^[0-9]+(KiB|MiB|GiB)$`
	countPattern    = `^[1-9][0-9]*$`
	wholePattern    = `^-?[0-9]+$`
	sharePattern    = `^\+?[0-9.]+([eE][+-]?[0-9]+)?$`
	booleanPattern  = `^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$`
	nonePattern     = `^(none|[Oo]ff|OFF|[Nn]o|NO|[Ff]alse|FALSE)$`
)

// oneText returns the schema of a text that matches one of the patterns or contains an expansion. The message, which
// editors show about another value, is an extension of VS Code's that validators ignore.
func oneText(message string, patterns ...string) map[string]any {
	s := map[string]any{"type": "string", "pattern": strings.Join(append(patterns, anyExpansion), "|")}
	if message != "" {
		s["errorMessage"] = message
	}
	return s
}

// anyOf returns the schema of values that have one of several forms, the usual one first.
func anyOf(forms ...any) map[string]any { return map[string]any{"anyOf": forms} }

func titled(title string, s map[string]any) map[string]any {
	s["title"] = title
	return s
}

func enum(values ...any) map[string]any { return map[string]any{"enum": values} }

// null is the form of a key without a value, which has its default.
func null() map[string]any { return titled("default", map[string]any{"type": "null"}) }

// off is the form of none that YAML reads as a boolean.
func off() map[string]any { return titled("off", enum(false)) }

// text returns the schema of a text that matches one of the patterns.
func text(t reflect.Type, patterns ...string) map[string]any {
	s := oneText(hints[t], patterns...)
	s["type"] = []string{"string", "null"}
	return s
}

// textOrNone returns the schema of a text that matches a pattern, or none.
func textOrNone(t reflect.Type, pattern string) map[string]any {
	return anyOf(oneText(hints[t], pattern, nonePattern), off(), null())
}

// scalar returns the schema of a scalar, or nil for other types.
func (n *node) scalar(t reflect.Type) map[string]any {
	whole := map[string]any{"type": "integer", "minimum": 1}
	switch {
	case len(n.Words) > 0 && t.Kind() == reflect.String:
		return n.oneWord()
	case n.Path == config.HealthPathKey:
		return textOrNone(t, config.HealthPathPattern)
	case t == reflect.TypeFor[setting.Duration]():
		return text(t, durationPattern)
	case t == reflect.TypeFor[setting.DurationOrNone]():
		return textOrNone(t, durationPattern)
	case t == reflect.TypeFor[setting.Size]():
		return text(t, sizePattern)
	case t == reflect.TypeFor[setting.SizeOrNone]():
		return textOrNone(t, sizePattern)
	case t == reflect.TypeFor[setting.CountOrNone]():
		return anyOf(whole, titled("text", oneText(hints[t], countPattern, nonePattern)), off(), null())
	case t == reflect.TypeFor[setting.Share]():
		share := map[string]any{"type": "number", "exclusiveMinimum": 0, "maximum": 1}
		return anyOf(share, titled("text", oneText("", sharePattern)), null())
	case t == reflect.TypeFor[access.ListID]():
		return anyOf(whole, titled("text", oneText("The id of a list, a whole number.", countPattern)))
	case n.Path == "version":
		return enum(1, "1")
	}
	return kind(t)
}

// kind returns the schema of a scalar that is not of a type of package setting, or nil for other types.
func kind(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
	case reflect.Bool:
		return anyOf(map[string]any{"type": "boolean"}, titled("text", oneText("true or false.", booleanPattern)), null())
	case reflect.Int, reflect.Int64:
		number := map[string]any{"type": "integer"}
		return anyOf(number, titled("text", oneText("A whole number.", wholePattern)), null())
	}
	return nil
}

// oneWord returns the schema of a key that accepts only a few words.
func (n *node) oneWord() map[string]any {
	variable := oneText("")
	if !n.standard.IsValid() && !n.Required {
		variable = oneText("", emptyPattern) // as if the key were left out
	}
	forms := []any{map[string]any{"enum": n.Words}, titled("variable", variable), null()}
	if slices.Contains(n.Words, setting.None) {
		forms = append(forms, off(), titled("none", oneText("", nonePattern)))
	}
	return anyOf(forms...)
}

// filled returns a schema without null, because required keys and entries of lists must not be empty.
func filled(s map[string]any) map[string]any {
	switch kinds := s["type"].(type) {
	case []string:
		s["type"] = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == "null" })
	case string:
	default:
		some, _ := s["anyOf"].([]any)
		kept := []any{}
		for _, one := range some {
			if one := one.(map[string]any); !reflect.DeepEqual(one, null()) {
				kept = append(kept, filled(one))
			}
		}
		if len(kept) > 0 {
			s["anyOf"] = kept
		}
	}
	return s
}
