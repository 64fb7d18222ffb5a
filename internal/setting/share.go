package setting

import (
	"fmt"
	"strconv"
)

// Share is a part of a whole: above 0, up to 1.
type Share float64

// SetWord parses the text.
func (s *Share) SetWord(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v <= 1) { // NaN is not above 0
		return &Invalid{Text: fmt.Sprintf("%q is not a share of a whole", text), Cure: "write a number above 0 and up to 1, such as 0.1 for every tenth"}
	}
	*s = Share(v)
	return nil
}

func (s Share) String() string { return strconv.FormatFloat(float64(s), 'g', -1, 64) }
