package schema

import "github.com/hubgate/hubgate/internal/setting"

func pageKeys() []Key {
	return []Key{
		{Path: "pages", Text: "the gateway's own pages"},
		{Path: "pages.folder", Text: "folder with custom texts and styles", Examples: []string{"pages"}},
		{
			Path: "pages.site_name", Text: "name of the site, at most 80 characters; empty: the host",
			Examples: []string{"Example Academy"},
		},
		{
			Path: "pages.logo", Text: "image: a public path on this site, or an https URL",
			Examples: []string{"/hubfs/logo.svg"},
		},
		{
			Path: "pages.support", Text: "where visitors get help: an https or mailto URL",
			Examples: []string{"mailto:help@example.com"},
		},
		{
			Path: "pages.language", Text: "`auto` (the browser's), `en`, `de`, or a language of the folder",
			Examples: []string{"de"},
		},
		{
			Path: "pages.accent", Text: "color of buttons, in quotes; empty: blue",
			More:     "check computes its contrast with the pages and suggests a shade that is enough.",
			Examples: []string{`"#b00020"`},
		},
		{
			Path: "pages.accent_dark", Text: "the same for dark pages; empty: a lighter shade of accent",
			Examples: []string{`"#ff8a9a"`},
		},
	}
}

func logKeys() []Key {
	return []Key{
		{Path: "log", Text: "the log, on stderr"},
		{Path: "log.level", Words: []string{"debug", "info", "warn", "error"}, Text: "least important level that is logged"},
		{Path: "log.format", Words: []string{"json", "text"}, Text: "form of the lines; `text` is easier to read for people"},
		{Path: "log.access", Text: "a line for each request"},
		{
			Path: "log.email", Words: []string{"hash", "full", setting.None},
			Text: "how e-mail addresses appear; hash is a keyed hash",
		},
		{Path: "tracing", Text: "spans for a collector"},
		{
			Path: "tracing.endpoint", Examples: []string{"http://127.0.0.1:4318"},
			Text: "address of an OTLP/HTTP collector; empty: no tracing",
		},
		{
			Path: "tracing.sample", Examples: []string{"0.1"},
			Text: "fraction of traces to record, above 0 and up to 1",
		},
	}
}
