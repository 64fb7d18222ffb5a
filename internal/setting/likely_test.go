package setting

import (
	"errors"
	"strings"
	"testing"
)

// A cure that is refused next makes a reader distrust all others.
func TestCuresOfQuantitiesAreAccepted(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]struct {
		word  func() Word
		texts []string
	}{
		"duration": {func() Word { return new(Duration) },
			[]string{"0", "15", "30 days", "1w", "5sec", "1.5d", "2 Hours", "1y"}},
		"duration or none": {func() Word { return new(DurationOrNone) },
			[]string{"0", "0s", "0 days", "15", "never", "Disabled", "null", "1.5 weeks", "250 millis"}},
		"size": {func() Word { return new(Size) },
			[]string{"0", "0KiB", "32", "32768", "32769", "10MB", "10 mb", "1.5GiB", "64k", "1b"}},
		"size or none":  {func() Word { return new(SizeOrNone) }, []string{"0", "0MiB", "unlimited", "10MB", "1048576"}},
		"count or none": {func() Word { return new(CountOrNone) }, []string{"0", "-1", "unlimited"}},
	} {
		for _, text := range kind.texts {
			var bad *Invalid
			if err := kind.word().SetWord(text); !errors.As(err, &bad) {
				t.Errorf("%s %q: %v, want an Invalid", name, text, err)
				continue
			}
			for _, cure := range suggested(bad.Cure) {
				if err := kind.word().SetWord(cure); err != nil {
					t.Errorf("%s %q: the cure %q suggests %q, which is refused: %v", name, text, bad.Cure, cure, err)
				}
			}
		}
	}
}

// suggested returns the values that a cure says to write.
func suggested(cure string) []string {
	_, list, found := strings.Cut(cure, "write ")
	if !found {
		return []string{"no value in the cure: " + cure}
	}
	for _, words := range []string{"a number with a unit: ", "a duration such as ", "a size such as ", "a number such as ",
		"a whole number with a unit: "} {
		list = strings.ReplaceAll(list, words, "")
	}
	return strings.FieldsFunc(strings.ReplaceAll(list, " or ", ","), func(r rune) bool { return r == ',' || r == ' ' })
}
