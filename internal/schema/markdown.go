package schema

import "strings"

const documents = "https://github.com/hubgate/hubgate/blob/main/docs/"

// chapters maps sections to the part of the documents about them.
var chapters = map[string]string{
	"version": "configuration.md", "server": "configuration.md#server", "proxy": "configuration.md#proxy",
	"proxy.rules": "configuration.md#rules", "proxy.hubspot": "configuration.md#hubspots-special-addresses",
	"proxy.tests": "configuration.md#tests", "auth": "configuration.md#auth", "session": "configuration.md#session",
	"hubspot": "configuration.md#hubspot", "hubspot.contacts": "contacts.md",
	"hubspot.contacts.properties": "contacts.md#mapping", "hubspot.visitors": "contacts.md#link-the-visitors-history",
	"hubspot.access": "configuration.md#access-by-lists-and-properties", "pages": "pages.md", "log": "logs.md",
	"tracing": "operations.md#traces",
}

// markdown returns what editors that know Markdown show about a key: the same sentences, and where to read more.
func (n *node) markdown() string {
	at := n.Path
	for chapters[at] == "" {
		at = at[:strings.LastIndexByte(at, '.')]
	}
	return n.markdownText() + "\n\n[" + chapters[at] + "](" + documents + chapters[at] + ")"
}
