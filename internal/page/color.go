package page

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// hexColor matches the only forms of a color that the configuration accepts. They contain nothing that could end a
// declaration, so a value from a template or a variable cannot inject CSS (CWE-94).
var hexColor = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// color is an sRGB color: red, green and blue.
type color [3]uint8

// parseColor parses #rgb and #rrggbb.
func parseColor(text string) (color, error) {
	if !hexColor.MatchString(text) {
		return color{}, fmt.Errorf("%q is not a color", text)
	}
	digits := text[1:]
	if len(digits) == 3 {
		digits = digits[:1] + digits[:1] + digits[1:2] + digits[1:2] + digits[2:] + digits[2:]
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err
}

func (c color) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// mix returns a color between c, at 0, and other, at 255.
func (c color) mix(other color, part int) color {
	for i := range c {
		c[i] = uint8((int(c[i])*(255-part) + int(other[i])*part + 127) / 255)
	}
	return c
}

// luminance returns the relative luminance as WCAG 2.2 defines it.
func (c color) luminance() float64 {
	channel := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(c[0]) + 0.7152*channel(c[1]) + 0.0722*channel(c[2])
}

// contrast returns the contrast ratio of two colors as WCAG 2.2 defines it, from 1 to 21.
func contrast(a, b color) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// lowest returns the lowest contrast of a color to the others.
func lowest(c color, others ...color) float64 {
	least := math.Inf(1)
	for _, other := range others {
		least = min(least, contrast(c, other))
	}
	return least
}

// ink returns black or white, whichever contrasts more with the color below the text. It is always at least 4.58:1.
func ink(below color) color {
	black, white := color{}, color{255, 255, 255}
	if contrast(black, below) > contrast(white, below) {
		return black
	}
	return white
}
