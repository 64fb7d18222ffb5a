package openid

import "testing"

func TestBoolOfAcceptsStrings(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]bool{
		true: true, "true": true, false: false, "false": false, nil: false, "TRUE": false, 1.0: false,
	} {
		if got := boolOf(value); got != want {
			t.Errorf("%v: %v", value, got)
		}
	}
}

func TestIsEmailAcceptsOnePlainAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"ada@example.com": true, "ada+x@sub.example.co.uk": true, "ädä@bücher.example": true,
		"": false, "ada": false, "@example.com": false, "ada@": false, "attacker@evil.com@company.com": false,
		`"a@b"@example.com`: false, "a b@example.com": false, "a@example.com\r\nBcc: x@y": false, "<a@example.com>": false,
	} {
		if got := isEmail(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
