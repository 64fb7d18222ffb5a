package setting

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MeansNone reports whether text is a word that people write for none, or nothing, but that is not accepted for it: it
// may also be a mistake.
func MeansNone(text string) bool {
	return slices.Contains([]string{
		"never", "null", "nil", "disabled", "disable", "unlimited", "infinite", "infinity", "forever", "empty",
	}, strings.ToLower(strings.TrimSpace(text)))
}

// wordForNone returns the error of a value that accepts none, if text is another word for it; else nil.
func wordForNone(text, otherwise string) error {
	if !MeansNone(text) {
		return nil
	}
	return &Invalid{Text: Quote(text) + " is not a valid value", Cure: "write none, or " + otherwise}
}

// quantity matches a number and a word after it.
var quantity = regexp.MustCompile(`^\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([A-Za-z]*)\s*$`)

// split returns the number and the unit, in lower case, that a text consists of.
func split(text string) (number float64, unit string, ok bool) {
	match := quantity.FindStringSubmatch(text)
	if match == nil {
		return 0, "", false
	}
	number, err := strconv.ParseFloat(match[1], 64)
	return number, strings.ToLower(match[2]), err == nil
}

// spans are the units in which people write durations.
var spans = []struct {
	span  time.Duration
	words []string
}{
	{time.Millisecond, []string{"ms", "msec", "millis", "millisecond", "milliseconds"}},
	{time.Second, []string{"s", "sec", "secs", "second", "seconds"}},
	{time.Minute, []string{"m", "min", "mins", "minute", "minutes"}},
	{time.Hour, []string{"h", "hr", "hrs", "hour", "hours"}},
	{day, []string{"d", "day", "days"}},
	{7 * day, []string{"w", "week", "weeks"}},
	{30 * day, []string{"month", "months"}},
	{365 * day, []string{"y", "year", "years"}},
}

// likelyDuration returns the duration that is meant by another spelling, such as "30 seconds" or 1w; false if there is
// none.
func likelyDuration(text string) (time.Duration, bool) {
	number, unit, ok := split(text)
	for _, s := range spans {
		if ok && number > 0 && slices.Contains(s.words, unit) && number < float64(100*365*day)/float64(s.span) {
			return time.Duration(number * float64(s.span)), true
		}
	}
	return 0, false
}

// likelySize returns the size that is meant by another spelling, such as 10MB or 32768; "" if there is none.
func likelySize(text string) string {
	number, unit, ok := split(text)
	for name, bytes := range map[string]int64{
		"": 1, "b": 1, "byte": 1, "bytes": 1, "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mb": 1 << 20,
		"mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30,
	} {
		if ok && unit == name && number > 0 {
			return formatSize(int64(math.Ceil(number*float64(bytes)/1024)) << 10)
		}
	}
	return ""
}

// isZero reports whether a text is a quantity of 0.
func isZero(text string) bool {
	number, _, ok := split(text)
	return ok && number == 0
}

// notPositive returns the error of a quantity of 0. otherwise is what to write instead.
func notPositive(text, otherwise string) error {
	return &Invalid{Text: fmt.Sprintf("must be greater than 0, not %q", text), Cure: "write " + otherwise}
}
