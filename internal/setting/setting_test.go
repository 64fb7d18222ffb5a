package setting

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "15m": 15 * time.Minute, "12h": 12 * time.Hour, "7d": 7 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute, "0s": 0,
	} {
		var d Duration
		if err := d.SetWord(text); err != nil || d.D() != want {
			t.Errorf("%q is %v, %v", text, d, err)
		}
		var again Duration
		if err := again.SetWord(d.String()); err != nil || again != d {
			t.Errorf("%q is written as %q", text, d)
		}
	}
	for _, text := range []string{
		"", "30", "1.5", "-1s", "+1s", "1 h", "s", "d", "1w", "none", "1d1d", "99999999999d",
	} {
		var d Duration
		if err := d.SetWord(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	var d Duration
	if err := d.SetWord("30"); err == nil || !strings.Contains(err.Error(), "30s") {
		t.Errorf("no suggestion for a number without unit: %v", err)
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"none", "off", "no", "false"} {
		var d DurationOrNone
		var s SizeOrNone
		var c CountOrNone
		var r Rate
		for _, w := range []Word{&d, &s, &c, &r} {
			if err := w.SetWord(text); err != nil {
				t.Errorf("%T rejects %q: %v", w, text, err)
			}
		}
	}
	for _, w := range []Word{new(DurationOrNone), new(SizeOrNone), new(CountOrNone)} {
		for _, text := range []string{"0", "0s", "0KiB", "never"} {
			if w.SetWord(text) == nil {
				t.Errorf("%T accepts %q", w, text)
			}
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{"32KiB": 32 << 10, "10MiB": 10 << 20, "1GiB": 1 << 30} {
		var s Size
		if err := s.SetWord(text); err != nil || s != want || s.String() != text {
			t.Errorf("%q is %v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "32", "32KB", "1.5MiB", "-1KiB", "+1KiB", "KiB", "99999999999GiB"} {
		var s Size
		if s.SetWord(text) == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

func TestSecretIsMasked(t *testing.T) {
	t.Parallel()
	secret := Secret("s3cr3t")
	text, err := json.Marshal(map[string]any{"a": secret, "b": []Secret{secret}})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %s %+v %#v %q %s %v", secret, secret, struct{ S Secret }{secret}, secret, secret, text,
		secret.LogValue())
	if strings.Contains(all, "s3cr3t") || secret.Reveal() != "s3cr3t" {
		t.Error(all)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"public_urls", "listen", "default", "rules"}
	for text, want := range map[string]string{
		"rulez": "rules", "defualt": "default", "public_url": "public_urls", "listn": "listen", "xyz": "", "": "",
	} {
		if got := Nearest(text, known); got != want {
			t.Errorf("nearest of %q is %q, want %q", text, got, want)
		}
	}
}

func FuzzQuantities(f *testing.F) {
	for _, seed := range []string{"30s", "1d12h", "32KiB", "none", "-1", "1e9h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d Duration
		var s Size
		if d.SetWord(text) == nil {
			var again Duration
			if err := again.SetWord(d.String()); err != nil || again != d {
				t.Errorf("%q became %q", text, d)
			}
		}
		if s.SetWord(text) == nil {
			var again Size
			if err := again.SetWord(s.String()); err != nil || again != s {
				t.Errorf("%q became %q", text, s)
			}
		}
	})
}

func TestTruncateKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc..."}, {"abé", 4, "abé"}, {"abé", 3, "ab..."}, {"éé", 1, "..."},
		{"a\xffbc", 4, "a\xffbc"}, {"a\xffbcd", 4, "abc..."},
	} {
		if got := Truncate(c.text, c.n); got != c.want {
			t.Errorf("Truncate(%q, %d) is %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

func TestCountSeparatesThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "0 pages", 1: "1 page", 999: "999 pages", 1000: "1,000 pages", 12345: "12,345 pages",
		-100: "-100 pages", -1000000: "-1,000,000 pages",
	} {
		if got := Count(n, "page"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestLowerMakesNoCharacterASCII(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Ada@Example.com": "ada@example.com", "MÜLLER": "müller", "ΣΟΦΊΑ": "σοφία",
		"\u212Aate": "\u212Aate", "L\u0130SA": "l\u0130sa", "\u212B": "å",
	} {
		if got := Lower(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
