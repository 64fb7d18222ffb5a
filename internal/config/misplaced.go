package config

import (
	"reflect"
	"slices"
	"strings"
)

// anyName stands in a full key for the name of an entry of a mapping, and [] for the index of an entry of a list.
const anyName = "NAME"

// keyHomes returns the full keys that a name has in the file. The decoder builds the table once, because a file may have
// many unknown keys.
func (d *decoder) keyHomes(name string) []string {
	if d.homes == nil {
		d.homes = map[string][]string{}
		addHomes(d.homes, "", reflect.TypeFor[Config]())
	}
	return d.homes[name]
}

func addHomes(homes map[string][]string, parent string, t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			parent += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() == reflect.Map {
		addHomes(homes, parent+"."+anyName, t.Elem())
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

// maxHomes is the number of places up to which a list of them helps to find the right one.
const maxHomes = 3

// misplaced returns where a key belongs that is unknown in a section, but known in another one; "" if there is none.
// meant is the full key if there is only one.
func (d *decoder) misplaced(name string) (meant, cure string) {
	if parent, last, dotted := cutLast(name); dotted {
		if slices.Contains(d.keyHomes(last), name) {
			return name, "write " + last + " below " + parent + ":, indented"
		}
		return "", ""
	}
	homes := d.keyHomes(name)
	if len(homes) == 0 || len(homes) > maxHomes {
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
	if len(homes) == 1 && !strings.Contains(homes[0], "[]") && !strings.Contains(homes[0], anyName) {
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
