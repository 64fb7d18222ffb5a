package config

import (
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/setting"
)

// notList reports a value that should be a list. The list that it probably means is decoded too, so that the mistakes
// of its entries are reported in the same pass.
func (d *decoder) notList(node *yaml.Node, v reflect.Value, l location) {
	text := "expected a list, got " + nodeWords(node)
	secret := v.Type().Elem() == reflect.TypeFor[setting.Secret]()
	switch meant := listOf(l, node.Value); {
	case node.Kind == yaml.MappingNode:
		d.fail(l, text, "begin each entry with a dash (-)")
	case strings.Contains(node.Value, "${"):
		d.fail(l, "expected a list, got ${...}", "write a list, with ${...} in its entries")
	case secret:
		d.expand.Concealer.Add(node.Value)
		d.fail(l, text, `write a list: ["${NAME}"]`)
	case len(meant.Content) == 0, setting.IsNone(node.Value), setting.MeansNone(node.Value):
		cure := "write the entries in brackets, or remove the key"
		if slices.Contains(requiredLists, l.key) {
			cure = "write the entries in brackets"
		}
		d.fail(l, text, cure)
	default:
		d.fail(l, text, "write a list: "+flow(meant))
		if kind := v.Type().Elem().Kind(); kind != reflect.Struct && kind != reflect.Map {
			d.list(meant, v, l)
		}
	}
}

// requiredLists are the keys of lists that must not be empty.
var requiredLists = []string{"server.public_urls", "session.keys"}

// listOf returns the list that is meant by a single value, whose entries are at its place. Commas separate them, as
// does white space where no entry can contain any. The result can be pasted: scopes always have openid, and addresses
// no passwords.
func listOf(l location, text string) *yaml.Node {
	name := l.key[strings.LastIndexByte(l.key, '.')+1:]
	separator := func(r rune) bool {
		return r == ',' || r == ';' || slices.Contains(withoutSpaces, name) && strings.ContainsRune(" \t\r\n+|", r)
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	add := func(entry string) {
		list.Content = append(list.Content, &yaml.Node{
			Kind: yaml.ScalarNode, Tag: "!!str", Value: entry, Line: l.place.Line, Column: l.place.Col,
		})
	}
	entries := strings.FieldsFunc(text, separator)
	if strings.Contains(text, "://") && strings.Contains(text, "@") {
		entries = []string{text} // a password may contain every separator
	}
	if l.key == "auth.scopes" && !slices.Contains(entries, "openid") {
		add("openid")
	}
	for _, entry := range entries {
		if entry = strings.TrimSpace(entry); entry != "" {
			add(entry)
		}
	}
	return list
}

// flow returns a list as YAML on one line.
func flow(list *yaml.Node) string {
	short := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, entry := range list.Content {
		shown := *entry
		shown.Value = setting.Shorten(withoutUser(entry.Value))
		short.Content = append(short.Content, &shown)
	}
	encoded, err := yaml.Marshal(&short)
	if err != nil {
		return "[...]"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(encoded), "\n", " "))
}

// withoutSpaces are the lists whose entries cannot contain white space, + and |.
var withoutSpaces = []string{
	"scopes", "methods", "hosts", "public_urls", "urls", "trusted_proxies", "client_ip_headers",
}

// withoutUser returns a text without the name and password in the URLs that it consists of.
func withoutUser(text string) string {
	before, rest, found := strings.Cut(text, "://")
	if at := strings.LastIndexByte(rest, '@'); found && at >= 0 {
		return before + "://" + rest[at+1:]
	}
	return text
}
