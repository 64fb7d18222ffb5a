package session

import (
	"errors"
	"fmt"
	"testing"
)

func TestARedisThatRefusesUsIsNotOneThatIsSilent(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"WRONGPASS invalid username-password pair or user is disabled.": true, "NOAUTH Authentication required.": true,
		"NOPERM this user has no permissions to run the 'get' command": true, "dial tcp 127.0.0.1:1: connect: connection refused": false,
		"i/o timeout": false, "LOADING Redis is loading the dataset in memory": false,
	} {
		if got := refusesUs(fmt.Errorf("session: %w", errors.New(text))); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
