package e2e

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// config is a configuration file: the path of each key, such as server.listen, with its value in YAML.
type config map[string]string

// with returns a copy with changes. An empty value removes the key and all keys below it.
func (c config) with(changes ...config) config {
	c = maps.Clone(c)
	for _, change := range changes {
		for key, value := range change {
			if c[key] = value; value == "" {
				maps.DeleteFunc(c, func(k, _ string) bool { return k == key || strings.HasPrefix(k, key+".") })
			}
		}
	}
	return c
}

// String returns the text of the file.
func (c config) String() string {
	file := map[string]any{"version": 1}
	for _, key := range slices.Sorted(maps.Keys(c)) { // a section comes before the keys that are added to it
		var value any
		if err := yaml.Unmarshal([]byte(c[key]), &value); err != nil {
			panic(key + ": " + err.Error())
		}
		path := strings.Split(key, ".")
		section := file
		for _, name := range path[:len(path)-1] {
			if section[name] == nil {
				section[name] = map[string]any{}
			}
			section = section[name].(map[string]any)
		}
		section[path[len(path)-1]] = value
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		panic(err)
	}
	return string(text)
}
