package source

import (
	"strings"
	"testing"
)

func TestExpandRejectsInvisibleCharacters(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{
		"\ufeffabc": "the value of ID begins with a byte order mark", "abc\u200b": "U+200B",
		"abc\n": "ends with a line break", "abc": "", "Café ☕️ shop": "", "a b": "",
	} {
		got, bad := NewExpander("hubgate.yaml", func(string) string { return value }).Expand("${ID}", false)
		if (bad == nil) != (says == "") || bad != nil && !strings.Contains(bad.Text, says) || bad == nil && got != value {
			t.Errorf("%q: %q %v", value, got, bad)
		}
	}
}
