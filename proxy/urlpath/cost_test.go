package urlpath

import (
	"errors"
	"strings"
	"testing"
)

// Clients choose the query and the path, and NFKC turns the 3 bytes of U+FDFA into 33 (CWE-407).
func TestFoldNameNeverGrows(t *testing.T) {
	t.Parallel()
	for _, character := range []string{"\ufdfa", "\ufdfb", "\u3300", "\u1f50", "\u2a74", "\u33ff", "\u0390",
		"\ufb03", "ß"} {
		query := strings.Repeat(character, 1000)
		if folded := foldName(query); len(folded) > len(query) {
			t.Errorf("%q: %d bytes become %d", character, len(query), len(folded))
		}
	}
}

func TestExpandingPathsAreRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"/hubfs/%3F%EF%BC%8525" + strings.Repeat("\ufdfa", 2600),
		"/hubfs/" + strings.Repeat("\ufdfb", 1200),
		"/members/" + strings.Repeat("%EF%B7%BA", 800),
		"/hubfs/" + strings.Repeat("%25EF%25B7%25BA", 500),
	} {
		_, err := Parse(raw)
		if bad := (*Error)(nil); !errors.As(err, &bad) || bad.Reason != tooLong {
			t.Errorf("%.60s: %v", raw, err)
		}
	}
}

// Every segment of every reading is a step for each ** of the rules.
func TestReadingsAreBounded(t *testing.T) {
	t.Parallel()
	const odd = "/%20%2520%252520%2523%253Fd."
	deep := "/hubfs/1/a0/x/a11/b0/x/b11/" + strings.Repeat("z/", 208)
	for _, raw := range []string{deep + odd[1:], "/hs-fs/hubfs/7/" + strings.Repeat("z/", 60) + odd[1:] + ";a",
		"/hub/1/" + strings.Repeat("z/", 100) + "a+b;c%23d%E2%84%A2%2520", "/hubfs" + odd} {
		p, err := Parse(raw)
		segments := 0
		for _, reading := range p.Readings() {
			segments += strings.Count(reading, "/")
		}
		if segments > maxReadingSegments+maxSegments || (err != nil) != (raw != "/hubfs"+odd) {
			t.Errorf("%.40s: %d segments in %d readings, %v", raw, segments, len(p.Readings()), err)
		}
	}
}
