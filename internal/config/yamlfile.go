package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/setting"
)

// maxConfig limits the size of the configuration file.
const maxConfig = 1 << 20

// readConfig reads the configuration file.
func readConfig(path string, rep *Report) ([]byte, *setting.Invalid) {
	text, err := source.ReadBounded(path, maxConfig)
	switch {
	case err != nil:
		rep.Unread = err
		return nil, &setting.Invalid{Text: "the file cannot be read: " + err.Error(),
			Cure: source.ReadCure(err, "check the path of the configuration file")}
	case len(text) > maxConfig:
		return nil, &setting.Invalid{Text: "the file is larger than 1 MiB", Cure: "check that it is the right file"}
	}
	return text, nil
}

// parseYAML returns the root node of the only document, or reports why there is none and returns nil. yaml.v3 panics
// on some inputs.
func parseYAML(text []byte, rep *Report) (root *yaml.Node) {
	defer func() {
		if v := recover(); v != nil {
			root = nil
			rep.addAt(start, "", "invalid YAML: the parser failed", "look for unusual keys, anchors and merges")
		}
	}()
	if cut, marked := bytes.CutPrefix(text, []byte("\xef\xbb\xbf")); marked {
		text = cut
		rep.Findings = append(rep.Findings, finding{place: start, Warning: true,
			Text: "the file begins with a byte order mark", Cure: "save it as UTF-8 without BOM"})
	}
	if reportNonText(text, rep) {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		reportSyntax(err, text, rep)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		at, found := secondDocument(text)
		if !found && err != nil {
			reportSyntax(err, text, rep)
			return nil
		}
		rep.addAt(at, "", "more than one YAML document", "remove the --- and everything after it")
	} else if emptyDocument(document) {
		rep.addAt(start, "", "the file is empty", "start from config.example.yaml")
	}
	if emptyDocument(document) {
		return nil
	}
	return document.Content[0]
}

func emptyDocument(d yaml.Node) bool {
	return len(d.Content) == 0 || d.Content[0].Kind == yaml.ScalarNode && d.Content[0].Tag == "!!null"
}

// reportNonText reports the first character that is not allowed in YAML, or that ends a line in YAML but not in
// editors, after which every line number would be wrong. It reports whether there was one.
func reportNonText(text []byte, rep *Report) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		rep.addAt(start, "", "the file is UTF-16", "save it as UTF-8")
		return true
	}
	at := start
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\n' && r != '\r' && r != '\t',
			r >= 0x7f && r < 0xa0 && r != '\u0085':
			rep.addAt(at, "", "the file is not UTF-8 text", "save it as UTF-8 without control characters")
			return true
		case r == '\u0085' || r == '\u2028' || r == '\u2029' || r == 0xfeff || r >= 0xfffe && r <= 0xffff:
			rep.addAt(at, "", fmt.Sprintf("invisible character U+%04X", r), "remove it; it often comes with copied text")
			return true
		}
		at.Col++
		if r == '\n' {
			at = place{at.Line + 1, 1}
		}
		text = text[size:]
	}
	return false
}

// secondDocument returns the place of the --- that begins a second document.
func secondDocument(text []byte) (at place, found bool) {
	begun := false
	for i, l := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(l, "---") && begun {
			return place{i + 1, 1}, true
		}
		begun = begun || (strings.TrimSpace(l) != "" && l[0] != '#' && l[0] != '%')
	}
	return start, false
}
