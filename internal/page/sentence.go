package page

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholders are the names that a sentence may use. Those in always have a value. The others may be missing, so they
// must be in [brackets].
var (
	always       = []string{"site", "host", "n", "total", "ago", "day", "month", "year", "clock"}
	placeholders = append([]string{"account", "method", "wait", "word", "count"}, always...)
)

// argCap is the maximum number of characters shown of an untrusted value.
const argCap = 200

// fill returns the sentence with its placeholders replaced. A part in [brackets] is omitted if one of its values is
// missing. Braces and brackets inside values are not interpreted.
func fill(sentence string, values map[string]string) string {
	var out strings.Builder
	for sentence != "" {
		before, part, after, found := cut(sentence, '[', ']')
		text, _ := fillPart(before, values)
		out.WriteString(text)
		if !found {
			break
		}
		if text, complete := fillPart(part, values); complete {
			out.WriteString(text)
		}
		sentence = after
	}
	return out.String()
}

func fillPart(part string, values map[string]string) (text string, complete bool) {
	var out strings.Builder
	complete = true
	for part != "" {
		before, name, after, found := cut(part, '{', '}')
		out.WriteString(before)
		if !found {
			break
		}
		value := sanitize(values[name])
		complete = complete && value != ""
		out.WriteString(value)
		part = after
	}
	return out.String(), complete
}

// cut splits text at the first pair of open and shut.
func cut(text string, open, shut byte) (before, inside, after string, found bool) {
	i := strings.IndexByte(text, open)
	if i < 0 {
		return text, "", "", false
	}
	j := strings.IndexByte(text[i:], shut)
	if j < 0 {
		return text, "", "", false
	}
	return text[:i], text[i+1 : i+j], text[i+j+1:], true
}

// sanitize returns an untrusted value as valid UTF-8 of at most argCap characters, without control characters and
// without characters that change the reading direction, which could disguise a name (CWE-451).
func sanitize(value string) string {
	var out strings.Builder
	n := 0
	for _, r := range value {
		if n == argCap {
			out.WriteRune('…')
			break
		}
		switch {
		case r == utf8.RuneError, unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Co, r):
			r = utf8.RuneError
		case unicode.IsControl(r), unicode.IsSpace(r):
			r = ' '
		}
		out.WriteRune(r)
		n++
	}
	return strings.TrimSpace(out.String())
}

// checkPlaceholders rejects sentences with an unknown placeholder, or with one outside brackets that may be missing.
func (c catalogue) checkPlaceholders() error {
	for key, sentence := range c.sentences() {
		if err := checkSentence(sentence); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func checkSentence(sentence string) error {
	for sentence != "" {
		before, part, after, found := cut(sentence, '[', ']')
		if strings.ContainsAny(before, "[]") || strings.Contains(part, "[") {
			return fmt.Errorf("unmatched bracket in %q", sentence)
		}
		if err := checkNames(before, always); err != nil {
			return err
		}
		if err := checkNames(part, placeholders); err != nil {
			return err
		}
		if !found {
			return nil
		}
		sentence = after
	}
	return nil
}

func checkNames(part string, allowed []string) error {
	for part != "" {
		before, name, after, found := cut(part, '{', '}')
		if strings.ContainsAny(before, "{}") {
			return fmt.Errorf("unmatched brace in %q", part)
		}
		if !found {
			return nil
		}
		if !slices.Contains(placeholders, name) {
			return fmt.Errorf("unknown placeholder {%s}; use {%s}", name, strings.Join(placeholders, "}, {"))
		}
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("{%s} may be missing; put the words that need it in brackets, such as [ as {%s}]", name, name)
		}
		part = after
	}
	return nil
}

// sentences returns all texts by their key path in the file.
func (c catalogue) sentences() map[string]string {
	all := map[string]string{}
	for name, t := range c.Pages {
		all["pages."+string(name)+".title"] = t.Title
		all["pages."+string(name)+".text"] = t.Text
		all["pages."+string(name)+".next"] = t.Next
	}
	for key, text := range c.Causes {
		all["causes."+key] = text
	}
	for key, text := range c.Details {
		all["details."+key] = text
	}
	for key, text := range c.Findings {
		all["findings."+key] = text
	}
	for key, text := range c.Labels {
		all["labels."+string(key)] = text
	}
	for key, text := range c.Words {
		all["words."+key] = text
	}
	return all
}
