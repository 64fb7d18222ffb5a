package contacts

import (
	"bytes"
	"strings"
	"testing"
)

func TestUnreadableEntriesAreNamedOnlyIfThereAreAny(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "", 1: "1 queued", 1234: "1234 queued"} {
		var out bytes.Buffer
		printUnreadable(&out, n)
		if (out.Len() > 0) != (n > 0) || !strings.Contains(out.String(), want) {
			t.Errorf("%d: %q", n, out.String())
		}
	}
}
