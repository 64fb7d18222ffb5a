package session

import "testing"

func TestEmailOfAcceptsVerifiedAsText(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]bool{
		true: true, "true": true, false: false, "false": false, nil: false, "TRUE": false, 1.0: false,
	} {
		if _, got := EmailOf(map[string]any{"email_verified": value}); got != want {
			t.Errorf("%v: %v", value, got)
		}
	}
	lists := map[string]any{"email": []any{"ada@example.com"}, "email_verified": []any{true}}
	if address, verified := EmailOf(lists); address != "" || verified {
		t.Errorf("claims of another type: %q, %v", address, verified)
	}
}

func TestEmailOfAcceptsOnePlainAddress(t *testing.T) {
	t.Parallel()
	for address, valid := range map[string]bool{
		"ada@example.com": true, "ada+x@sub.example.co.uk": true, "ädä@bücher.example": true,
		"": false, "ada": false, "@example.com": false, "ada@": false, "attacker@evil.com@company.com": false,
		`"a@b"@example.com`: false, "a b@example.com": false, "a@example.com\r\nBcc: x@y": false, "<a@example.com>": false,
	} {
		want := ""
		if valid {
			want = address
		}
		if got, _ := EmailOf(map[string]any{"email": address}); got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
}
