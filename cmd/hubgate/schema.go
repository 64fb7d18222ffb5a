package main

import (
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/setting"
)

func schemaCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return e.printJSON(configSchema()) },
	}
}

// configSchema is the JSON Schema (draft-07, which editors understand best) of the file, made from the structs that the loader fills.
func configSchema() map[string]any {
	s := schemaOf(reflect.TypeFor[Config]())
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "hubgate configuration"
	s["required"] = []string{"version", "server", "proxy", "auth", "session"}
	return s
}

func schemaOf(t reflect.Type) map[string]any {
	scalar := func(types ...string) map[string]any { return map[string]any{"type": types} }
	orWord := func(s map[string]any) map[string]any {
		if !reflect.PointerTo(t).Implements(reflect.TypeFor[setting.Word]()) {
			return s
		}
		return map[string]any{"anyOf": []any{s, scalar("string", "number", "boolean")}}
	}
	switch t.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				properties[name] = schemaOf(t.Field(i).Type)
			}
		}
		return orWord(map[string]any{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false})
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem())}
	case reflect.Slice:
		return orWord(map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())})
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Bool:
		return scalar("boolean", "string", "null")
	}
	return scalar("string", "number", "boolean", "null")
}
