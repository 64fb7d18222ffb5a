package page

import (
	"strconv"
	"strings"
	"time"
)

// wait returns a duration in words, rounded up.
func (c catalogue) wait(d time.Duration) string {
	if n := int((d + time.Second - 1) / time.Second); n <= 90 {
		return c.count(n, "second")
	}
	return c.count(int((d+time.Minute-1)/time.Minute), "minute")
}

// left returns in words how long something lasts, or "" if it has ended.
func (c catalogue) left(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 2*time.Hour:
		return c.count(max(1, int(d.Round(time.Minute)/time.Minute)), "left_minute")
	case d < 48*time.Hour:
		return c.count(int(d.Round(time.Hour)/time.Hour), "left_hour")
	}
	return c.count(int(d.Round(24*time.Hour)/(24*time.Hour)), "left_day")
}

// ago returns in words how long ago something was.
func (c catalogue) ago(d time.Duration) string {
	n, unit := int(d/time.Second), "second"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	case d >= 2*time.Minute:
		n, unit = int(d/time.Minute), "minute"
	}
	return fill(c.Words[unit+"s_ago"], map[string]string{"n": strconv.Itoa(max(0, n))})
}

// count returns a number with its unit. The catalogue has a word for one, and another with an s for several.
func (c catalogue) count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fill(c.Words[word], map[string]string{"n": strconv.Itoa(n)})
}

// time returns a date and time in words. It is in UTC, because the visitor's time zone is unknown without a script.
func (c catalogue) time(t time.Time) string {
	t = t.UTC()
	months := strings.Fields(c.Words["months"])
	month := t.Format("01")
	if len(months) == 12 {
		month = months[t.Month()-1]
	}
	return fill(c.Words["time"], map[string]string{
		"day": strconv.Itoa(t.Day()), "month": month, "year": strconv.Itoa(t.Year()), "clock": t.Format("15:04")})
}
