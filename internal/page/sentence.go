package page

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholders are the names that a sentence may use. always have a value; the others may be missing and therefore stand in [brackets].
var (
	always       = []string{"site", "host", "n", "day", "month", "year", "clock"}
	placeholders = append([]string{"account", "method", "wait", "word"}, always...)
)

// argCap is how many characters of a value from outside are shown.
const argCap = 200

// fill puts the values into a sentence. A part in [brackets] is left out when one of its values is missing. Values are inserted
// once and never read again: braces and brackets in them mean nothing.
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
		value := tame(values[name])
		complete = complete && value != ""
		out.WriteString(value)
		part = after
	}
	return out.String(), complete
}

// cut splits at the first pair of the marks.
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

// tame makes a value from outside harmless to look at: valid UTF-8, no controls, no characters that turn the reading direction
// (a name shown backwards could be made to say something else), at most argCap characters.
func tame(value string) string {
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

// checkPlaceholders refuses a sentence that names a value which does not exist, or that may be missing where it may not.
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
			return fmt.Errorf("%q has a bracket without its partner", sentence)
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
			return fmt.Errorf("%q has a brace without its partner", part)
		}
		if !found {
			return nil
		}
		if !slices.Contains(placeholders, name) {
			return fmt.Errorf("there is no placeholder {%s}; known are {%s}", name, strings.Join(placeholders, "}, {"))
		}
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("{%s} is not always known; put the words that need it into brackets, such as [ as {%s}]", name, name)
		}
		part = after
	}
	return nil
}

// sentences are all texts by their place in the file.
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
	for key, text := range c.Labels {
		all["labels."+string(key)] = text
	}
	for key, text := range c.Words {
		all["words."+key] = text
	}
	return all
}
