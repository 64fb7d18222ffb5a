package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
)

// The contrast that WCAG 2.2 requires of text (1.4.3), and of controls and focus rings (1.4.11).
const (
	textContrast    = 4.5
	controlContrast = 3
)

// appearance is the light or the dark form of the pages: the backgrounds that style.css gives them, and the color that
// other colors are mixed with to stand out from these.
type appearance struct {
	name             string
	page, card, away color
}

func lightAppearance() appearance {
	return appearance{"light", color{0xf5, 0xf6, 0xf8}, color{0xff, 0xff, 0xff}, color{0, 0, 0}}
}

func darkAppearance() appearance {
	return appearance{"dark", color{0x0e, 0x13, 0x1a}, color{0x16, 0x1d, 0x26}, color{0xff, 0xff, 0xff}}
}

// measure returns the contrast of a color to the background: of the page or of its card, whichever is lower.
func (a appearance) measure(c color) float64 { return lowest(c, a.page, a.card) }

// enough returns the nearest shade of a color with the needed contrast to others, which are the background by default.
func (a appearance) enough(c color, needed float64, others ...color) color {
	if len(others) == 0 {
		others = []color{a.page, a.card}
	}
	for part := range 256 {
		if shade := c.mix(a.away, part); lowest(shade, others...) >= needed {
			return shade
		}
	}
	return a.away
}

// declarations returns the CSS that applies an accent. The badge, and the focus ring and edge of a button, get a shade
// of it that can be seen, whatever the accent is. Under the pointer a button moves away from its text's color, so that
// the text stays readable.
func (a appearance) declarations(accent color) string {
	text := ink(accent)
	tint := a.card.mix(accent, 31)
	const css = ":root { --accent: %s; --accent-ink: %s; --accent-hover: %s; --ring: %s; --tint: %s; --badge: %s; }"
	return fmt.Sprintf(css, accent, text, accent.mix(ink(text), 31), a.enough(accent, controlContrast), tint,
		a.enough(accent, textContrast, tint))
}

// accentStyle returns the CSS of pages.accent and pages.accent_dark, or "" if both are empty. Without accent_dark, the
// dark pages use the accent, lightened as far as text on them must be.
func (c Config) accentStyle() (string, error) {
	var style strings.Builder
	dark := c.AccentDark
	if c.Accent != "" {
		accent, err := parseColor(c.Accent)
		if err != nil {
			return "", fmt.Errorf("accent: %w", err)
		}
		style.WriteString("\n" + lightAppearance().declarations(accent))
		if dark == "" {
			dark = darkAppearance().enough(accent, textContrast).String()
		}
	}
	if dark != "" {
		accent, err := parseColor(dark)
		if err != nil {
			return "", fmt.Errorf("accent_dark: %w", err)
		}
		style.WriteString("\n@media (prefers-color-scheme: dark) { " + darkAppearance().declarations(accent) + " }")
	}
	return style.String(), nil
}

// checkAccents checks the form of the colors, and warns about one that can hardly be seen.
func (c Config) checkAccents() []setting.Problem {
	return append(checkAccent("pages.accent", c.Accent, lightAppearance()),
		checkAccent("pages.accent_dark", c.AccentDark, darkAppearance())...)
}

func checkAccent(key, value string, a appearance) []setting.Problem {
	if value == "" {
		return nil
	}
	accent, err := parseColor(value)
	if err != nil {
		cure := `write # and 3 or 6 hexadecimal digits, in quotes, such as "#b00020"`
		if hexColor.MatchString("#" + value) {
			cure = `write "#` + value + `", in quotes`
		}
		return setting.Mistake(key, setting.Quote(value)+" is not a color", cure)
	}
	measured := a.measure(accent)
	if measured >= controlContrast {
		return nil
	}
	return []setting.Problem{{Key: key, Warning: true,
		Text: fmt.Sprintf("%q has a contrast of %.2f:1 to the %s pages; buttons need %d:1 to be seen",
			value, math.Floor(measured*100)/100, a.name, controlContrast),
		Cure: fmt.Sprintf("write %q, the nearest shade that has it", a.enough(accent, controlContrast))}}
}
