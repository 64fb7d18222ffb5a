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
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$`
	sizePattern     = `^[0-9]+(KiB|MiB|GiB)$`
	countPattern    = `^[1-9][0-9]*$`
	wholePattern    = `^-?[0-9]+$`
	booleanPattern  = `^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$`
	nonePattern     = `^(none|[Oo]ff|OFF|[Nn]o|NO|[Ff]alse|FALSE)$`
)

// oneText returns the schema of a text that matches one of the patterns or contains an expansion.
func oneText(patterns ...string) map[string]any {
	return map[string]any{"type": "string", "pattern": strings.Join(append(patterns, anyExpansion), "|")}
}

func anyOf(some ...any) map[string]any { return map[string]any{"anyOf": some} }

func enum(values ...any) map[string]any { return map[string]any{"enum": values} }

func null() map[string]any { return map[string]any{"type": "null"} }

// orNone returns the schema of a text that matches a pattern, or none.
func orNone(some ...any) map[string]any { return anyOf(append(some, enum(false), null())...) }

// scalar returns the schema of a scalar, or nil for other types.
func (n *node) scalar(t reflect.Type) map[string]any {
	whole := map[string]any{"type": "integer", "minimum": 1}
	switch {
	case len(n.Words) > 0 && t.Kind() == reflect.String:
		return n.oneWord()
	case n.Path == config.HealthPathKey:
		return orNone(oneText(config.HealthPathPattern, nonePattern))
	case t == reflect.TypeFor[setting.Duration]():
		return anyOf(oneText(durationPattern), null())
	case t == reflect.TypeFor[setting.DurationOrNone]():
		return orNone(oneText(durationPattern, nonePattern))
	case t == reflect.TypeFor[setting.Size]():
		return anyOf(oneText(sizePattern), null())
	case t == reflect.TypeFor[setting.SizeOrNone]():
		return orNone(oneText(sizePattern, nonePattern))
	case t == reflect.TypeFor[setting.CountOrNone]():
		return orNone(whole, oneText(countPattern, nonePattern))
	case t == reflect.TypeFor[access.ListID]():
		return anyOf(whole, oneText(countPattern))
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
	case reflect.Float64:
		return map[string]any{"type": []string{"number", "string", "null"}}
	case reflect.Bool:
		return anyOf(map[string]any{"type": "boolean"}, oneText(booleanPattern), null())
	case reflect.Int, reflect.Int64:
		return anyOf(map[string]any{"type": "integer"}, oneText(wholePattern), null())
	}
	return nil
}

// oneWord returns the schema of a key that accepts only a few words.
func (n *node) oneWord() map[string]any {
	some := []any{map[string]any{"enum": n.Words}, oneText(), null()}
	if n.hasNone() {
		some = append(some, enum(false), oneText(nonePattern))
	}
	return anyOf(some...)
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
