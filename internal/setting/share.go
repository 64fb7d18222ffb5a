package setting

import (
	"fmt"
	"strconv"
)

// Share is a fraction: above 0, at most 1.
type Share float64

// SetWord parses a Share.
func (s *Share) SetWord(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v <= 1) { // also false for NaN
		return &Invalid{
			Text: fmt.Sprintf("%q is not a fraction", text),
			Cure: "write a number above 0 and up to 1, such as 0.1 for one in ten",
		}
	}
	*s = Share(v)
	return nil
}

func (s Share) String() string { return strconv.FormatFloat(float64(s), 'g', -1, 64) }
