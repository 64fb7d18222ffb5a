package schema

import (
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/proxy/rules"
)

// Key describes one key of the YAML file.
type Key struct {
	// Path is the key with its sections, such as server.tls.mode. A key of an entry of a list or mapping has the path of
	// the list: proxy.rules.path.
	Path string
	// Text says in one sentence, without capital letter and full stop, what the key does. Code is in `backquotes`.
	Text string
	// More has further sentences, which only editors show.
	More     string
	Required bool
	NotEmpty bool     // an empty list or mapping is an error
	Words    []string // the valid values; nil for any
	// Examples are valid values, as YAML. config.example.yaml shows the first one in the sentence if there is no default.
	Examples []string
	// Shown is the value in config.example.yaml of a key whose default is not valid or not the best one.
	Shown string
	// Usual is what it means to leave out a key of an entry, which has no default.
	Usual string
	// Entry describes an entry of a mapping whose names are free.
	Entry string
	// Sample has the entries of a list or mapping that config.example.yaml shows. Keys get their sentence where they
	// first occur without a comment.
	Sample []string
}

// Keys returns the descriptions of all keys, sections included.
func Keys() []Key {
	return slices.Concat(serverKeys(), proxyKeys(), ruleKeys(), hubSpotFeatureKeys(), testKeys(), authKeys(),
		sessionKeys(), hubSpotKeys(), contactKeys(), accessKeys(), pageKeys(), logKeys())
}

// ruleKeys returns the keys of a rule, which package rules owns.
func ruleKeys() []Key {
	var keys []Key
	for _, k := range rules.Keys() {
		keys = append(keys, Key{
			Path: rulesPath + "." + k.Name, Text: k.Text, More: k.More, Required: k.Required, NotEmpty: k.NotEmpty,
			Words: k.Words, Examples: k.Examples, Usual: k.Usual, Entry: k.Entry,
		})
	}
	return keys
}

// plain returns a sentence without the marks of code.
func plain(text string) string { return strings.ReplaceAll(text, "`", "") }

// restarts reports whether a changed value takes effect only after a restart.
func (k Key) restarts() bool { return config.NeedsRestart(k.Path) }
