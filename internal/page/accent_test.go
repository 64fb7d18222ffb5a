package page

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// appearances returns the forms of the pages, with the section that has a color for one of them.
func appearances() map[string]func(string) (Config, appearance) {
	return map[string]func(string) (Config, appearance){
		"light": func(c string) (Config, appearance) { return Config{Accent: c}, lightAppearance() },
		"dark":  func(c string) (Config, appearance) { return Config{AccentDark: c}, darkAppearance() },
	}
}

// someColors returns gray, the primary colors, and random ones.
func someColors() []color {
	colors := []color{{}, {255, 255, 255}, {128, 128, 128}, {255}, {0, 255}, {0, 0, 255}, {255, 255}, {0x76, 0x76, 0x76}}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		colors = append(colors, color{uint8(random.UintN(256)), uint8(random.UintN(256)), uint8(random.UintN(256))})
	}
	return colors
}

func TestContrastIsThatOfWCAG(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]string{
		{"#000", "#ffffff"}: "21.00", {"#777777", "#fff"}: "4.48", {"#767676", "#fff"}: "4.54", {"#f00", "#fff"}: "4.00",
		{"#1257a5", "#1257a5"}: "1.00",
	} {
		a, err1 := parseColor(pair[0])
		b, err2 := parseColor(pair[1])
		if got := fmt.Sprintf("%.2f", contrast(a, b)); err1 != nil || err2 != nil || got != want {
			t.Errorf("%v: %s, want %s (%v, %v)", pair, got, want, err1, err2)
		}
	}
}

// TestAccentCureIsAccepted takes the color from the warning, as an operator does, and that it is the nearest.
func TestAccentCureIsAccepted(t *testing.T) {
	t.Parallel()
	warned := 0
	for name, configOf := range appearances() {
		for _, accent := range someColors() {
			cfg, a := configOf(accent.String())
			problems := cfg.Validate()
			if (len(problems) > 0) != (a.measure(accent) < controlContrast) {
				t.Fatalf("%s %s has %.2f:1: %v", name, accent, a.measure(accent), problems)
			}
			if len(problems) == 0 {
				continue
			}
			warned++
			cure := regexp.MustCompile(`"(#[0-9a-f]{6})"`).FindStringSubmatch(problems[0].Cure)
			if cure == nil || !problems[0].Warning {
				t.Fatalf("%s %s: %+v", name, accent, problems[0])
			}
			if cured, _ := configOf(cure[1]); len(cured.Validate()) > 0 {
				t.Errorf("%s %s: the cure %s is refused: %v", name, accent, cure[1], cured.Validate())
			}
			for part := range 256 {
				if shade := accent.mix(a.away, part); shade.String() == cure[1] {
					break
				} else if a.measure(shade) >= controlContrast {
					t.Fatalf("%s %s: %s is nearer than %s", name, accent, shade, cure[1])
				}
			}
		}
	}
	if warned < 100 {
		t.Errorf("%d colors have a warning", warned)
	}
}

// declared returns the colors that a style sheet declares for the light or the dark pages.
func declared(t *testing.T, style, name string) map[string]color {
	t.Helper()
	const dark = "@media (prefers-color-scheme: dark)"
	if before, after, _ := strings.Cut(style, dark); name == "dark" {
		style = after
	} else {
		style = before
	}
	colors := map[string]color{}
	for _, match := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(style, -1) {
		if _, first := colors[match[1]]; first {
			continue // that of another mood
		}
		var err error
		if colors[match[1]], err = parseColor(match[2]); err != nil {
			t.Fatal(err)
		}
	}
	return colors
}

func TestAccentColorsCanBeSeen(t *testing.T) {
	t.Parallel()
	for name, configOf := range appearances() {
		for _, accent := range someColors() {
			cfg, a := configOf(accent.String())
			style, err := cfg.accentStyle()
			if err != nil {
				t.Fatal(err)
			}
			c := declared(t, style, name)
			for part, ok := range map[string]bool{
				"exact":            c["accent"] == accent,
				"text":             contrast(c["accent-ink"], c["accent"]) >= textContrast,
				"text when hovers": contrast(c["accent-ink"], c["accent-hover"]) >= contrast(c["accent-ink"], c["accent"]),
				"ring":             a.measure(c["ring"]) >= controlContrast,
				"badge":            contrast(c["badge"], c["tint"]) >= textContrast,
				"text in the tint": contrast(map[string]color{"light": {0x17, 0x20, 0x2b}, "dark": {0xe9, 0xee, 0xf4}}[name],
					c["tint"]) >= textContrast,
			} {
				if !ok {
					t.Errorf("%s %s: %s: %s", name, accent, part, style)
				}
			}
		}
	}
}

func TestAccentDarkIsDerived(t *testing.T) {
	t.Parallel()
	dark := darkAppearance()
	for _, accent := range someColors() {
		style, err := Config{Accent: accent.String()}.accentStyle()
		if err != nil {
			t.Fatal(err)
		}
		got := declared(t, style, "dark")["accent"]
		if dark.measure(got) < textContrast || dark.measure(accent) >= textContrast && got != accent {
			t.Errorf("%s becomes %s", accent, got)
		}
	}
	for cfg, want := range map[Config]string{{}: "", {Accent: "#123"}: "light dark", {AccentDark: "#fff"}: "dark"} {
		style, err := cfg.accentStyle()
		var got []string
		for _, name := range []string{"light", "dark"} {
			if len(declared(t, style, name)) > 0 {
				got = append(got, name)
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%+v changes %v, want %s (%v)", cfg, got, want, err)
		}
	}
}

func TestAppearancesAreThoseOfStyleSheet(t *testing.T) {
	t.Parallel()
	raw, err := embeddedTemplates.ReadFile("templates/style.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []appearance{lightAppearance(), darkAppearance()} {
		c := declared(t, string(raw), a.name)
		if c["page"] != a.page || c["card"] != a.card {
			t.Errorf("%s: page %s and card %s differ from the style sheet", a.name, a.page, a.card)
		}
		if a.measure(c["ring"]) < controlContrast || contrast(c["accent-ink"], c["accent-hover"]) < textContrast {
			t.Errorf("%s: the built-in colors cannot be seen", a.name)
		}
	}
}

func TestAccentsAreCheckedForTheirForm(t *testing.T) {
	t.Parallel()
	const example = `write # and 3 or 6 hexadecimal digits, in quotes, such as "#b00020"`
	for value, cure := range map[string]string{
		"#b00020": "", "#FFF": "#ffffff", "b00020": `write "#b00020", in quotes`, "red": example, "#b0002": example,
		"#b00020;}body{display:none": example, "rgb(1 2 3)": example, "#b00020 ": example, "#b00020\n": example,
		"</style><script>alert(1)</script>": example, "{{.Title}}": example, "#ab{": example, "": "",
	} {
		problems := Config{Accent: value}.Validate()
		if cure == "#ffffff" || cure == "" {
			if len(problems) > 0 && !problems[0].Warning {
				t.Errorf("%q: %+v", value, problems)
			}
			continue
		}
		if len(problems) != 1 || problems[0].Warning {
			t.Errorf("%q: %+v", value, problems)
		} else if d := cmp.Diff(cure, problems[0].Cure); d != "" {
			t.Errorf("%q: %s", value, d)
		}
		for _, cfg := range []Config{{Accent: value}, {AccentDark: value}} {
			if _, err := New(cfg); err == nil {
				t.Errorf("%+v makes pages", cfg)
			}
		}
	}
}

// TestFolderStyleOverridesAccent keeps the order of the style sheets.
func TestFolderStyleOverridesAccent(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"style.css": ":root { --accent: #00ff00; }"})
	html := body(t, write(t, newPages(t, Config{Folder: dir, Accent: "#b00020"}),
		request(t, "GET", "Accept", "text/html"), Page{Name: NotFound}))
	if own, folders := strings.Index(html, "#b00020"), strings.Index(html, "#00ff00"); own < 0 || folders < own {
		t.Errorf("accent at %d, style.css at %d", own, folders)
	}
}
