package config

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// keyHomes maps the name of each key to the full keys that it has, with [] for entries of lists.
var keyHomes = sync.OnceValue(func() map[string][]string {
	homes := map[string][]string{}
	addHomes(homes, "", reflect.TypeFor[Config]())
	return homes
})

func addHomes(homes map[string][]string, parent string, t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			parent += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() == reflect.Map {
		addHomes(homes, parent+".NAME", t.Elem())
		return
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			key := strings.TrimPrefix(parent+"."+name, ".")
			homes[name] = append(homes[name], key)
			addHomes(homes, key, t.Field(i).Type)
		}
	}
}

// manyHomes is the number of places from which on a list of them does not help to find the right one.
const manyHomes = 4

// misplaced returns where a key belongs that is unknown in a section, but known in another one; "" if there is none.
// meant is the full key if there is only one.
func misplaced(name string) (meant, cure string) {
	if parent, last, dotted := cutLast(name); dotted {
		if slices.Contains(keyHomes()[last], name) {
			return name, "write " + last + " below " + parent + ":, indented"
		}
		return "", ""
	}
	homes := keyHomes()[name]
	if len(homes) == 0 || len(homes) >= manyHomes {
		return "", ""
	}
	var places []string
	for _, home := range homes {
		parent := parentKey(home)
		switch {
		case parent == "":
			places = append(places, "at the top of the file, without indentation")
		case strings.HasSuffix(parent, "[]"):
			places = append(places, "in an entry of "+strings.TrimSuffix(parent, "[]"))
		default:
			places = append(places, "under "+parent+", as "+home)
		}
	}
	if len(homes) == 1 && !strings.ContainsAny(homes[0], "[N") {
		meant = homes[0]
	}
	return meant, "it belongs " + strings.Join(places, ", or ")
}

// cutLast splits a key at its last dot.
func cutLast(key string) (parent, last string, found bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}
