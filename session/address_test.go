package session

import (
	"strings"
	"testing"
)

// TestSimilarAddressKeepsItsSession checks that an account whose address only looks the same keeps its session.
func TestSimilarAddressKeepsItsSession(t *testing.T) {
	t.Parallel()
	for _, similar := range []string{"\u212Aate@example.com", "kate@example.\u212Aom", "l\u0130sa@example.com"} {
		w := newWorld(t)
		m := w.replica(nil)
		u := ada()
		u.Email = similar
		cookie, _ := w.login(m, u)
		plain := strings.ToLower(similar) // as a careless comparison would
		if n, err := m.EndByEmail(t.Context(), plain); n != 0 || err != nil {
			t.Errorf("%q ended %d sessions of %q, %v", plain, n, similar, err)
		}
		if got := w.reason(m, cookie); got != "" {
			t.Errorf("%q: %q", similar, got)
		}
	}
}
