package schema

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/setting"
)

// defaultText returns the default of a key as YAML. It returns "" for keys without one: required keys, and keys of
// entries, unless leaving them out means one of their words.
func (n *node) defaultText() string {
	switch {
	case n.Required:
		return ""
	case !n.standard.IsValid():
		if len(n.Words) > 0 {
			return n.Usual
		}
		return ""
	}
	return yamlText(n.standard)
}

// plainScalar matches text that YAML reads as the same text without quotes.
var plainScalar = regexp.MustCompile(`^(https://)?[A-Za-z/_][A-Za-z0-9/._-]*$`)

// yamlText returns a value of the configuration as it is written on one line of the file.
func yamlText(v reflect.Value) string {
	if rate, ok := v.Interface().(setting.Rate); ok {
		return fmt.Sprintf("{requests: %d, per: %v}", rate.Requests, rate.Per)
	}
	if d, ok := v.Interface().(setting.Duration); ok && d.D() < 2*time.Minute && d.D()%time.Minute != 0 {
		return fmt.Sprintf("%ds", d.D()/time.Second) // 75s is easier to read than 1m15s
	}
	switch v.Kind() {
	case reflect.Slice:
		entries := make([]string, v.Len())
		for i := range entries {
			entries[i] = yamlText(v.Index(i))
		}
		return "[" + strings.Join(entries, ", ") + "]"
	case reflect.Map: // no default has entries
		return "{}"
	case reflect.String:
		if text := v.String(); !plainScalar.MatchString(text) || yamlReads(text) {
			return fmt.Sprintf("%q", text)
		}
		return v.String()
	}
	if marshaler, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, _ := marshaler.MarshalText()
		return string(text)
	}
	return fmt.Sprint(v.Interface())
}

// yamlReads reports whether YAML 1.1 reads a word as something else than text, such as a boolean.
func yamlReads(word string) bool {
	var read any
	return yaml.Unmarshal([]byte(word), &read) != nil || read != any(word)
}

// parsed returns a YAML text as a JSON value.
func parsed(text string) any {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		panic("schema: " + text + ": " + err.Error()) // the table is wrong; a test reads all of it
	}
	return value
}
