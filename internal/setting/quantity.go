package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span such as 30s, 15m, 12h or 7d; units may be combined (1h30m). A number without a unit is an
// error.
type Duration time.Duration

// SetWord parses a Duration.
func (d *Duration) SetWord(text string) error {
	v, err := parseDuration(text)
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// D returns d as a time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return formatDuration(time.Duration(d)) }

// MarshalText returns the form that SetWord parses.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// DurationOrNone is a Duration, or none, represented as 0.
type DurationOrNone time.Duration

// SetWord parses a DurationOrNone. A duration of 0 is an error, because none is the way to disable a setting.
func (d *DurationOrNone) SetWord(text string) error {
	if IsNone(text) {
		*d = 0
		return nil
	}
	if err := wordForNone(text, "a duration such as 30s"); err != nil {
		return err
	}
	if isZero(text) {
		return notPositive(text, "none, or a duration such as 30s")
	}
	v, err := parseDuration(text)
	if err != nil {
		return err
	}
	*d = DurationOrNone(v)
	return nil
}

// D returns d as a time.Duration; 0 is none.
func (d DurationOrNone) D() time.Duration { return time.Duration(d) }

func (d DurationOrNone) String() string {
	if d == 0 {
		return None
	}
	return formatDuration(time.Duration(d))
}

// MarshalText returns the form that SetWord parses.
func (d DurationOrNone) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Size is a number of bytes such as 32KiB, 10MiB or 1GiB. A number without a unit is an error.
type Size int64

// SetWord parses a Size.
func (s *Size) SetWord(text string) error {
	v, err := parseSize(text)
	if err != nil {
		return err
	}
	*s = Size(v)
	return nil
}

func (s Size) String() string { return formatSize(int64(s)) }

// MarshalText returns the form that SetWord parses.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// SizeOrNone is a Size, or none, represented as 0.
type SizeOrNone int64

// SetWord parses the value; none is 0.
func (s *SizeOrNone) SetWord(text string) error {
	if IsNone(text) {
		*s = 0
		return nil
	}
	if err := wordForNone(text, "a size such as 10MiB"); err != nil {
		return err
	}
	if isZero(text) {
		return notPositive(text, "none, or a size such as 10MiB")
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

// MarshalText returns the form that SetWord parses.
func (s SizeOrNone) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// CountOrNone is a whole number above 0, or none, represented as 0.
type CountOrNone int

// SetWord parses the value; none is 0.
func (c *CountOrNone) SetWord(text string) error {
	if IsNone(text) {
		*c = 0
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v <= 0 {
		return &Invalid{Text: fmt.Sprintf("%q is not a whole number above 0", text),
			Cure: "write a number such as 100, or none"}
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

// MarshalText returns the form that SetWord parses.
func (c CountOrNone) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

const day = 24 * time.Hour

// NotPositive is the error of a duration of 0 where it makes no sense.
func NotPositive(text string) error { return notPositive(text, "a duration such as 30s") }

func parseDuration(text string) (time.Duration, error) {
	bad := &Invalid{Text: fmt.Sprintf("%q is not a duration", text),
		Cure: "write a number with a unit: 30s, 15m, 12h or 7d"}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		bad.Cure = fmt.Sprintf("add a unit: write %ds, %dm, %dh or %dd", n, n, n, n)
		if n == 0 {
			bad.Cure = "write 0s"
		}
		return 0, bad
	}
	if likely, ok := likelyDuration(text); ok {
		bad.Cure = "write " + formatDuration(likely)
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
	bad := &Invalid{
		Text: fmt.Sprintf("%q is not a size", text), Cure: "write a whole number with a unit: 64KiB, 10MiB or 1GiB",
	}
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(text, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err == nil && n > 0 && n <= math.MaxInt64/unit.bytes && number[0] != '+' {
			return n * unit.bytes, nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 32)
	switch likely := likelySize(text); {
	case isZero(text):
		return 0, notPositive(text, "a size such as 64KiB")
	case err == nil && n < 1024: // hardly bytes
		bad.Cure = fmt.Sprintf("add a unit: write %dKiB, %dMiB or %dGiB", n, n, n)
	case likely != "":
		bad.Cure = "write " + likely
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
