package outbox

import (
	"errors"
	"strings"
	"testing"
)

func TestCursorIsStreamID(t *testing.T) {
	t.Parallel()
	last := "18446744073709551615"
	for cursor, want := range map[string]string{
		"": "-", "0-0": "(0-0", "1764163200000-3": "(1764163200000-3", last + "-0": "(" + last + "-0",
		last + "-" + last: last + "-" + last,

		"x": "", "*": "", "$": "", "-": "", "+": "", "-1-1": "", "1": "", "1-": "", "-1": "", "1-1-1": "", "(1-1": "",
		"+1-1": "", " 1-1": "", "1-1\n": "", "1-*": "",
		"18446744073709551616-0": "", "0-18446744073709551616": "", strings.Repeat("0", 200) + "-0": "",
	} {
		got, err := rangeStart(cursor)
		if got != want || (want == "") != errors.Is(err, ErrCursor) {
			t.Errorf("%q is %q, %v", cursor, got, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "0-0", "x", "-1-1", "99999999999999999999-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		got, err := rangeStart(cursor)
		if err == nil && strings.Trim(got, "(0123456789-") != "" || err != nil && got != "" {
			t.Fatalf("%q is %q, %v", cursor, got, err)
		}
	})
}
