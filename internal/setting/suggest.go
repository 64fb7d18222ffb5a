package setting

import (
	"fmt"
	"strings"
)

// Nearest returns the known word that text is probably a misspelling of, or "" if none is close enough: at most a third
// of its letters may differ, two in short words. Letter case does not count.
func Nearest(text string, known []string) string {
	best, bestDistance := "", 1<<30
	for _, word := range known {
		d := Distance(strings.ToLower(text), strings.ToLower(word))
		if d < bestDistance {
			best, bestDistance = word, d
		}
	}
	if limit := max(2, len(best)/3); bestDistance > min(limit, len(best)-1) {
		return ""
	}
	return best
}

// Distance returns the Damerau-Levenshtein distance (optimal string alignment): swapping two adjacent bytes counts as
// one.
func Distance(a, b string) int {
	previous2, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], previous2[j-2]+1)
			}
		}
		previous2, previous, current = previous, current, previous2
	}
	return previous[len(b)]
}

// NotValid describes a value that is not one of the valid ones, and suggests the nearest.
func NotValid(value string, valid ...string) string {
	text := fmt.Sprintf("%q is not a valid value", value)
	if nearest := Nearest(value, valid); nearest != "" {
		text += fmt.Sprintf(" (did you mean %s?)", nearest)
	}
	return text
}
