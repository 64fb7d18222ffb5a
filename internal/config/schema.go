package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// Schema returns the JSON Schema of the file, built from the structs that the loader fills. It is draft-07, which
// editors support best.
func Schema() map[string]any {
	s := schemaOf("", reflect.TypeFor[Config]())
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "hubgate configuration"
	return s
}

// needed lists the required keys of sections and of entries of lists.
var needed = map[string][]string{
	"": {"version", "server", "proxy", "auth", "session"}, "server": {"public_urls"}, "proxy": {"origin", "default"},
	"proxy.tests": {"url", "expect"}, "auth": {"client_id"}, "session": {"keys"},
}

// notEmpty lists the lists and mappings that must not be empty.
var notEmpty = []string{"server.public_urls", "session.keys"}

// wordsOf lists the values of keys that accept only a few words.
var wordsOf = map[string][]string{
	"server.tls.mode": {setting.None, "files", "acme"}, "proxy.default": {"public", "login"},
	"proxy.files_cache": {setting.None, "private"}, "proxy.tests.expect": {"public", "allow", "login", "forbid", "refuse"},
	"proxy.hubspot.previews": rules.FeatureWords(), "proxy.hubspot.debug": rules.FeatureWords(),
	"proxy.hubspot.diagnostics": rules.FeatureWords(), "proxy.hubspot.search": rules.FeatureWords(),
	"auth.client_auth": {"header", "body", setting.None}, "auth.logout": {"auto", "cognito", "oidc", "local"},
	"auth.forward_auth":  {"query", "headers"},
	"session.redis.mode": {"single", "sentinel", "cluster", "embedded"}, "hubspot.visitors.link": {setting.None, "form"},
	"hubspot.contacts.properties.value": {"login_time", "login_count", "host", "first_page"},
	"hubspot.contacts.properties.write": {"always", "if_empty", "create_only"},
	"log.level":                         {"debug", "info", "warn", "error"}, "log.format": {"json", "text"},
	"log.email": {"hash", "full", setting.None},
}

// rulesSection is the key of the rules. Package rules describes their keys.
const rulesSection = "proxy.rules"

// ruleKey returns what is known about a key of a rule, and the zero value for other keys.
func ruleKey(at string) rules.Key {
	for _, k := range rules.Keys() {
		if at == rulesSection+"."+k.Name {
			return k
		}
	}
	return rules.Key{}
}

func isNotEmpty(at string) bool { return slices.Contains(notEmpty, at) || ruleKey(at).NotEmpty }

func wordsAt(at string) []string {
	if words := wordsOf[at]; words != nil {
		return words
	}
	return ruleKey(at).Words
}

func neededIn(at string) []string {
	if at != rulesSection {
		return needed[at]
	}
	var keys []string
	for _, k := range rules.Keys() {
		if k.Required {
			keys = append(keys, k.Name)
		}
	}
	return keys
}

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

func schemaOf(at string, t reflect.Type) map[string]any {
	if s := scalarSchema(at, t); s != nil {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(at, t.Elem())
	case reflect.Map:
		s := map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(at, t.Elem())}
		if isNotEmpty(at) {
			s["minProperties"], s["additionalProperties"] = 1, filled(schemaOf(at, t.Elem()))
		}
		return s
	case reflect.Slice:
		s := map[string]any{"type": []string{"array", "null"}, "items": filled(schemaOf(at, t.Elem()))}
		if isNotEmpty(at) {
			s["minItems"] = 1
		}
		return orWord(t, s)
	}
	properties := map[string]any{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			properties[name] = schemaOf(strings.TrimPrefix(at+"."+name, "."), t.Field(i).Type)
			if slices.Contains(neededIn(at), name) {
				properties[name] = filled(properties[name].(map[string]any))
			}
		}
	}
	s := map[string]any{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	if keys := neededIn(at); keys != nil {
		s["required"], s["type"] = keys, "object"
	}
	return orWord(t, s)
}

// scalarSchema returns the schema of a scalar, or nil for other types.
func scalarSchema(at string, t reflect.Type) map[string]any {
	null, no := map[string]any{"type": "null"}, map[string]any{"enum": []any{false}}
	switch {
	case wordsAt(at) != nil && t.Kind() == reflect.String:
		some := []any{map[string]any{"enum": wordsAt(at)}, oneText(), null}
		if slices.Contains(wordsAt(at), setting.None) {
			some = append(some, no, oneText(nonePattern))
		}
		return map[string]any{"anyOf": some}
	case at == healthPathKey:
		return map[string]any{"anyOf": []any{oneText(healthPathPattern, nonePattern), no, null}}
	case t == reflect.TypeFor[setting.Duration]():
		return map[string]any{"anyOf": []any{oneText(durationPattern), null}}
	case t == reflect.TypeFor[setting.DurationOrNone]():
		return map[string]any{"anyOf": []any{oneText(durationPattern, nonePattern), no, null}}
	case t == reflect.TypeFor[setting.Size]():
		return map[string]any{"anyOf": []any{oneText(sizePattern), null}}
	case t == reflect.TypeFor[setting.SizeOrNone]():
		return map[string]any{"anyOf": []any{oneText(sizePattern, nonePattern), no, null}}
	case t == reflect.TypeFor[setting.CountOrNone]():
		number := map[string]any{"type": "integer", "minimum": 1}
		return map[string]any{"anyOf": []any{number, oneText(countPattern, nonePattern), no, null}}
	case t == reflect.TypeFor[access.ListID]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "integer", "minimum": 1}, oneText(countPattern)}}
	case t.Kind() == reflect.String:
		return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
	case t.Kind() == reflect.Float64:
		return map[string]any{"type": []string{"number", "string", "null"}}
	case t.Kind() == reflect.Bool:
		return map[string]any{"anyOf": []any{map[string]any{"type": "boolean"}, oneText(booleanPattern), null}}
	case at == "version":
		return map[string]any{"enum": []any{1, "1"}}
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return map[string]any{"anyOf": []any{map[string]any{"type": "integer"}, oneText(wholePattern), null}}
	}
	return nil
}

// orWord also allows the scalar that a type accepts in place of its mapping or list.
func orWord(t reflect.Type, s map[string]any) map[string]any {
	switch {
	case t == reflect.TypeFor[setting.Rate]():
		return map[string]any{"anyOf": []any{s, map[string]any{"enum": []any{false}}, oneText(nonePattern)}}
	case reflect.PointerTo(t).Implements(reflect.TypeFor[setting.Word]()):
		return map[string]any{"anyOf": []any{s, map[string]any{"type": []string{"string", "number", "boolean"}}}}
	}
	return s
}

// filled returns a schema without null, because entries of lists must not be empty.
func filled(s map[string]any) map[string]any {
	switch kinds := s["type"].(type) {
	case []string:
		s["type"] = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == "null" })
	case string:
	default:
		some, _ := s["anyOf"].([]any)
		kept := []any{}
		for _, one := range some {
			if one := one.(map[string]any); !reflect.DeepEqual(one, map[string]any{"type": "null"}) {
				kept = append(kept, filled(one))
			}
		}
		if len(kept) > 0 {
			s["anyOf"] = kept
		}
	}
	return s
}
