package auth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A key set with many invalid members causes one log line, and does not exclude valid keys.
func TestKeySetWithManyInvalidMembersLogsOneLine(t *testing.T) {
	t.Parallel()
	kind := func(kty, use string, i int) any {
		return map[string]any{"kty": kty, "use": use, "k": "AAAA", "kid": fmt.Sprint("n", i)}
	}
	odd := map[string]func(int) any{
		"unknown types":       func(i int) any { return kind("NEW", "sig", i) },
		"nothing":             func(int) any { return nil },
		"symmetric keys":      func(i int) any { return kind("oct", "sig", i) },
		"keys for encryption": func(i int) any { return kind("RSA", "enc", i) },
	}
	for name, member := range odd {
		for _, n := range []int{6, 150, 999} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				t.Parallel()
				p := newIssuer(t)
				p.keys = func() (all []any) {
					for i := range n {
						all = append(all, member(i))
					}
					return append(all, fields(t, &p.key.PublicKey, "k1"))
				}
				w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout = p.URL, "local" })
				if got := w.finish(p); got.StatusCode != http.StatusFound {
					t.Errorf("login: %d, %v", got.StatusCode, w.outcome().Err)
				}
				log, lines := w.log.String(), 1
				if name == "keys for encryption" {
					lines = 0
				}
				more := fmt.Sprintf("and %d more", n-5)
				if strings.Count(log, "level=WARN") != lines || lines == 1 && !strings.Contains(log, more) {
					t.Errorf("want %d lines with %q:\n%s", lines, more, log)
				}
			})
		}
	}
}
