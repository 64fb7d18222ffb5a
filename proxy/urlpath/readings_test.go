package urlpath

import (
	"errors"
	"strings"
	"testing"
)

func TestReadingsMustBeWellFormed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a%00.pdf": control, "a%2500.pdf": control, "a%0a": control, "a%C2%85": control, `a\b`: backslash,
		"a%5cb": encodedSlash, "a%2fb": encodedSlash,
		"..%EF%BC%8Fa": dotSegment, "a%252f..%252fb": dotSegment, "..%255ca": dotSegment, "a%E2%88%95..": dotSegment,
		"..%E2%81%84b": dotSegment, "a/..%25E2%2588%2595": dotSegment, "..%2501/a": dotSegment,
		"../a": dotSegment, "%2e%2e/a": dotSegment, "%252e%252e/a": dotSegment, "..;/a": dotSegment,
		"..;x=y/a": dotSegment, ".%3B/a": dotSegment,
		"..%3Fx": dotSegment, "..%23": dotSegment, "%EF%BC%8E%EF%BC%8E/a": dotSegment, ".%E2%80%8B./a": dotSegment,
		"%E2%80%A5/a": dotSegment, "..%20/a": dotSegment,
		"+../a": dotSegment, "..+/a": dotSegment, ".../a": dotSegment, ". ./a": control, ".%20./a": dotSegment,
		"%E2%80%A6/a": dotSegment, "..%C2%A0/a": dotSegment,
		";x/a": emptySegment, "a//b": emptySegment, "%E2%80%8B/a": emptySegment, "a/;/b": emptySegment,
		"%c0%af": badUTF8, "%25c0%25af": badUTF8, "%25e0%2580%25af": badUTF8, "%e9": badUTF8, "%25c0%25ae/a": badUTF8,
		"%25ed%25a0%2580": badUTF8,
		"a%":              badEscape, "a%zz": badEscape, "%u002f": badEscape,
		strings.Repeat("a%E2%84%A2;+%2523%3F%23%C2%A0%E2%80%8B./", 60): tooLong,
	} {
		for _, address := range []string{"/hubfs/", "/hs-fs/hubfs/", "/hub/4711/"} {
			p, err := Parse(address + name)
			if bad := (*Error)(nil); !errors.As(err, &bad) || bad.Reason != want {
				t.Errorf("%s%.60s: %v %.200q, want %s", address, name, err, p.Readings(), want)
			}
		}
	}
}
