package pattern

import (
	"regexp"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// hostBeforePath matches a host name in front of a path.
var hostBeforePath = regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]+)?/`)

// commaBetween matches what separates the patterns of a list that was written as one text.
var commaBetween = regexp.MustCompile(`,\s+/`)

// misread reports what was written in place of a pattern, nil for a pattern.
func misread(text string) *setting.Invalid {
	quoted, trimmed := setting.Quote(text), strings.TrimSpace(text)
	switch {
	case text == "":
		return &setting.Invalid{Text: "the path is empty", Cure: "write a path such as /members/**"}
	case strings.Contains(text, "://"):
		return &setting.Invalid{
			Text: quoted + " is a URL, not a path",
			Cure: "write " + setting.Quote(pathOf(text)) + ", and the host in hosts",
		}
	case isRegexp(text):
		return &setting.Invalid{
			Text: quoted + " looks like a regular expression",
			Cure: "write a pattern such as /members/**; * is any characters of one segment, ** any number of segments",
		}
	case strings.Contains(text, "|"):
		return &setting.Invalid{
			Text: quoted + " looks like a regular expression", Cure: "write a list of patterns: [/a, /b]",
		}
	case commaBetween.MatchString(text):
		return &setting.Invalid{
			Text: quoted + ": a comma is not a separator",
			Cure: "write a list: [" + commaBetween.ReplaceAllString(trimmed, ", /") + "]",
		}
	case trimmed != text && strings.HasPrefix(trimmed, "/"):
		return &setting.Invalid{Text: quoted + " has white space around it", Cure: "write " + setting.Quote(trimmed)}
	case text[0] != '/' && hostBeforePath.MatchString(text):
		_, path, _ := strings.Cut(text, "/")
		return &setting.Invalid{
			Text: quoted + " begins with a host, not with /",
			Cure: "write " + setting.Quote("/"+path) + ", and the host in hosts",
		}
	case text[0] != '/':
		return &setting.Invalid{Text: quoted + " does not begin with /", Cure: "write " + setting.Quote("/"+trimmed)}
	case strings.ContainsAny(text, "?#"):
		return &setting.Invalid{
			Text: quoted + " has a query or a fragment, which rules never match",
			Cure: "write " + setting.Quote(withoutQuery(text)),
		}
	}
	return nil
}

// pathOf returns the path of a URL.
func pathOf(text string) string {
	_, after, _ := strings.Cut(text, "://")
	if i := strings.IndexByte(after, '/'); i >= 0 {
		return after[i:]
	}
	return "/"
}

func isRegexp(text string) bool {
	return text[0] == '^' || text[len(text)-1] == '$' || strings.Contains(text, ".*") || strings.Contains(text, `\`) ||
		strings.Contains(text, "(?")
}

// withoutQuery returns a pattern without its query and fragment. In a file's name "?" and "#" are ordinary characters,
// which are percent-encoded in its address.
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
