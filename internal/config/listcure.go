package config

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/setting"
)

// listOf returns the list that is meant by a single value, as YAML. Commas separate its entries, as does white space
// where no entry can contain any. The result can be pasted: scopes always have openid.
func listOf(key, text string) string {
	name := key[strings.LastIndexByte(key, '.')+1:]
	separator := func(r rune) bool {
		return r == ',' || r == ';' || slices.Contains(withoutSpaces, name) && strings.ContainsRune(" \t\r\n+|", r)
	}
	list := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	add := func(entry string) {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: setting.Shorten(entry)})
	}
	entries := strings.FieldsFunc(text, separator)
	if key == "auth.scopes" && !slices.Contains(entries, "openid") {
		add("openid")
	}
	for _, entry := range entries {
		if entry = strings.TrimSpace(entry); entry != "" {
			add(entry)
		}
	}
	encoded, err := yaml.Marshal(&list)
	if err != nil {
		return "[...]"
	}
	return strings.TrimSpace(strings.ReplaceAll(string(encoded), "\n", " "))
}

// withoutSpaces are the lists whose entries cannot contain white space, + and |.
var withoutSpaces = []string{"scopes", "methods", "hosts", "public_urls", "urls", "trusted_proxies", "client_ip_headers"}
