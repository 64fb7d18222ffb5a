package outbox

import (
	"errors"
	"strconv"
	"strings"
)

// ErrCursor means that a cursor does not come from a listing.
var ErrCursor = errors.New("hubspot: not a cursor")

// isID reports whether text is an id of a Redis stream: two 64-bit numbers.
func isID(text string) bool {
	ms, seq, ok := strings.Cut(text, "-")
	return ok && isNumber(ms) && isNumber(seq)
}

const lastNumber = "18446744073709551615"

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil && len(text) <= len(lastNumber)
}

// rangeStart returns the start of a page in Redis' syntax.
func rangeStart(cursor string) (string, error) {
	switch {
	case cursor == "":
		return "-", nil
	case !isID(cursor):
		return "", ErrCursor
	case cursor == lastNumber+"-"+lastNumber:
		return cursor, nil // Redis rejects an exclusive range after the largest id
	}
	return "(" + cursor, nil
}
