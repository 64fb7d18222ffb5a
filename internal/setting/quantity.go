package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written like 30s, 15m, 12h or 7d (units may be combined: 1h30m). A bare number is an error.
type Duration time.Duration

// SetWord parses the text; see Duration.
func (d *Duration) SetWord(text string) error {
	v, err := parseDuration(text)
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// D is the value as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return formatDuration(time.Duration(d)) }

// MarshalText writes the spelling that SetWord reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalYAML writes the spelling that SetWord reads.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// DurationOrNone is a Duration or the word none, held as 0.
type DurationOrNone time.Duration

// SetWord parses the text; a zero duration is refused: the word for "not wanted" is none.
func (d *DurationOrNone) SetWord(text string) error {
	if IsNone(text) {
		*d = 0
		return nil
	}
	v, err := parseDuration(text)
	if err != nil {
		return err
	}
	if v == 0 {
		return &Invalid{Text: fmt.Sprintf("%q is no time at all", text), Cure: "write a positive time such as 30s, or none"}
	}
	*d = DurationOrNone(v)
	return nil
}

// D is the value as the standard library's type; 0 is none.
func (d DurationOrNone) D() time.Duration { return time.Duration(d) }

func (d DurationOrNone) String() string {
	if d == 0 {
		return None
	}
	return formatDuration(time.Duration(d))
}

// MarshalText writes the spelling that SetWord reads.
func (d DurationOrNone) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalYAML writes the spelling that SetWord reads.
func (d DurationOrNone) MarshalYAML() (any, error) { return d.String(), nil }

// Size is a number of bytes, written like 32KiB, 10MiB or 1GiB. A bare number is an error.
type Size int64

// SetWord parses the text; see Size.
func (s *Size) SetWord(text string) error {
	v, err := parseSize(text)
	if err != nil {
		return err
	}
	*s = Size(v)
	return nil
}

func (s Size) String() string { return formatSize(int64(s)) }

// MarshalText writes the spelling that SetWord reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML writes the spelling that SetWord reads.
func (s Size) MarshalYAML() (any, error) { return s.String(), nil }

// SizeOrNone is a Size or the word none, held as 0.
type SizeOrNone int64

// SetWord parses the text; none is 0.
func (s *SizeOrNone) SetWord(text string) error {
	if IsNone(text) {
		*s = 0
		return nil
	}
	v, err := parseSize(text)
	if err != nil {
		return err
	}
	*s = SizeOrNone(v)
	return nil
}

func (s SizeOrNone) String() string {
	if s == 0 {
		return None
	}
	return formatSize(int64(s))
}

// MarshalText writes the spelling that SetWord reads.
func (s SizeOrNone) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML writes the spelling that SetWord reads.
func (s SizeOrNone) MarshalYAML() (any, error) { return s.String(), nil }

// CountOrNone is a whole number above zero or the word none, held as 0.
type CountOrNone int

// SetWord parses the text; none is 0.
func (c *CountOrNone) SetWord(text string) error {
	if IsNone(text) {
		*c = 0
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v <= 0 {
		return &Invalid{Text: fmt.Sprintf("%q is not a number above 0", text), Cure: "write a whole number such as 100, or none"}
	}
	*c = CountOrNone(v)
	return nil
}

func (c CountOrNone) String() string {
	if c == 0 {
		return None
	}
	return strconv.Itoa(int(c))
}

// MarshalText writes the spelling that SetWord reads.
func (c CountOrNone) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalYAML writes the spelling that SetWord reads.
func (c CountOrNone) MarshalYAML() (any, error) { return c.String(), nil }

const day = 24 * time.Hour

func parseDuration(text string) (time.Duration, error) {
	bad := &Invalid{Text: fmt.Sprintf("%q is not a duration", text), Cure: "write a number with its unit: 30s, 15m, 12h or 7d"}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		if n == 0 {
			bad.Cure = "write 0s for no time, or a number with its unit such as 30s, 15m, 12h or 7d"
		} else {
			bad.Cure = fmt.Sprintf("a bare number has no unit: write %ds, %dm, %dh or %dd", n, n, n, n)
		}
		return 0, bad
	}
	var days time.Duration
	rest := text
	if number, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, bad
		}
		days, rest = time.Duration(n)*day, after
	}
	if rest == "" && days > 0 {
		return days, nil
	}
	v, err := time.ParseDuration(rest)
	if rest == "" && strings.HasSuffix(text, "d") {
		v, err = 0, nil
	}
	if err != nil || v < 0 || strings.HasPrefix(rest, "+") {
		return 0, bad
	}
	return days + v, nil
}

func formatDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func parseSize(text string) (int64, error) {
	bad := &Invalid{Text: fmt.Sprintf("%q is not a size", text), Cure: "write a whole number with its unit: 64KiB, 10MiB or 1GiB"}
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64/unit.bytes || number[0] == '+' {
			return 0, bad
		}
		return n * unit.bytes, nil
	}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		bad.Cure = fmt.Sprintf("a bare number has no unit: write %dKiB, %dMiB or %dGiB", n, n, n)
	}
	return 0, bad
}

func formatSize(n int64) string {
	for _, unit := range sizeUnits {
		if n >= unit.bytes && n%unit.bytes == 0 {
			return strconv.FormatInt(n/unit.bytes, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
