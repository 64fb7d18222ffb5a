package rules

import (
	"regexp"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// hostBeforePath is a host name in front of a path, or alone.
var hostBeforePath = regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]+)?/`)

// misread names what people write in place of a pattern.
func misread(text string) *setting.Invalid {
	switch {
	case text == "":
		return &setting.Invalid{Text: "the path is empty", Cure: "write a path such as /members/**"}
	case strings.Contains(text, "://"):
		_, after, _ := strings.Cut(text, "://")
		path := "/"
		if i := strings.IndexByte(after, '/'); i >= 0 {
			path = after[i:]
		}
		return &setting.Invalid{Text: setting.Quote(text) + " is a URL, not a path", Cure: "write " + setting.Quote(path) + ", and the host in hosts"}
	case text[0] == '^' || text[len(text)-1] == '$' || strings.Contains(text, ".*") || strings.Contains(text, `\`) || strings.Contains(text, "(?"):
		return &setting.Invalid{Text: setting.Quote(text) + " looks like a regular expression", Cure: "write a pattern such as /members/**: * matches characters within a segment, ** matches whole segments"}
	case strings.Contains(text, "|"):
		return &setting.Invalid{Text: setting.Quote(text) + " looks like a regular expression", Cure: "write a list of patterns: [/a, /b]"}
	case strings.Contains(text, ", /"):
		return &setting.Invalid{Text: "a comma is not a separator", Cure: "write a list: [" + text + "]"}
	case strings.TrimSpace(text) != text && strings.HasPrefix(strings.TrimSpace(text), "/"):
		return &setting.Invalid{Text: setting.Quote(text) + " has white space around it", Cure: "write " + setting.Quote(strings.TrimSpace(text))}
	case text[0] != '/' && hostBeforePath.MatchString(text):
		_, path, _ := strings.Cut(text, "/")
		return &setting.Invalid{Text: setting.Quote(text) + " begins with a host, not with /", Cure: "write " + setting.Quote("/"+path) + ", and the host in hosts"}
	case text[0] != '/':
		return &setting.Invalid{Text: setting.Quote(text) + " does not begin with /", Cure: "write " + setting.Quote("/"+strings.TrimSpace(text))}
	case strings.ContainsAny(text, "?#"):
		return &setting.Invalid{Text: setting.Quote(text) + " has a query or a fragment, which rules never match",
			Cure: "write " + setting.Quote(withoutQuery(text))}
	}
	return nil
}

// withoutQuery is a pattern without its query and fragment. In the name of a file "?" and "#" are characters like any
// other, which an address has encoded.
func withoutQuery(text string) string {
	i := strings.IndexAny(text, "?#")
	if i < 0 {
		return text
	}
	rest := text[i+1:]
	if urlpath.InFiles(text[:i]) && strings.ContainsAny(rest, "/.*") && !strings.Contains(rest, "=") {
		return strings.NewReplacer("?", "%3F", "#", "%23").Replace(text)
	}
	return text[:i]
}
