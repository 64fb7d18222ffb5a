package crm

import (
	"strings"
	"testing"
)

func TestValidEmail(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]bool{
		"ada@example.com": true, " Ada@Example.com ": true, "o'brien+x@mail.example.com": true,
		"": false, "ada": false, "ada@localhost": false, "ada@.com": false, "Ada <ada@example.com>": false,
		`"a b"@example.com`: false, "ada@example.com, eve@example.com": false, "ada(x)@example.com": false,
		"ädä@example.com": false, "a\x00b@example.com": false,
		strings.Repeat("a", 65) + "@example.com": false, "a@" + strings.Repeat("b.", 130) + "example.com": false,
	} {
		if got := ValidEmail(email); got != want {
			t.Errorf("%q: %v", email, got)
		}
	}
}

func TestInternationalizedDomainIsASCII(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]string{
		"bob@müller.example": "bob@xn--mller-kva.example", " Bob@MÜLLER.example": "bob@xn--mller-kva.example",
		"ada@例え.テスト":                     "ada@xn--r8jz45g.xn--zckzah",
		"x@bücher.xn--mller-kva.example": "x@xn--bcher-kva.xn--mller-kva.example",
		"ada@Example.com":                "ada@example.com",
	} {
		if got := EmailKey(email); got != want || !ValidEmail(email) {
			t.Errorf("%q: %q, valid: %v", email, got, ValidEmail(email))
		}
	}
	for _, email := range []string{
		"bob@müller", "bjørn@example.com", "bob@mü ller.example", "bob@\u200b.example", "b@ü@x.example",
	} {
		if ValidEmail(email) {
			t.Errorf("%q is accepted as %q", email, EmailKey(email))
		}
	}
}

func TestForeignCharactersDoNotBecomeASCII(t *testing.T) {
	t.Parallel()
	for name, email := range map[string]string{
		"Kelvin sign, lower case is k":      "\u212Aate@example.com",
		"Kelvin sign in the domain":         "kate@example.\u212Aom",
		"dotted capital I, lower case is i": "l\u0130sa@example.com",
		"the same in the domain":            "kate@v\u0130p.example",
		"full-width letter":                 "kate@\uff45xample.com",
		"soft hyphen":                       "kate@exam\u00adple.com",
		"ideographic full stop":             "kate@example\u3002com",
		"ligature":                          "kate@\ufb01rst.example",
		"superscript":                       "kate@mc\u00b2.example",
		"no-break space around":             "\u00a0kate@example.com",
		"combining mark":                    "kate@mu\u0308ller.example",
		"long s":                            "kate@\u017fchool.example",
	} {
		if key := EmailKey(email); ValidEmail(email) || !strings.ContainsFunc(key, func(r rune) bool { return r > 0x7f }) {
			t.Errorf("%s: %+q is %+q, valid: %v", name, email, key, ValidEmail(email))
		}
	}
}
