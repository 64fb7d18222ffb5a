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
