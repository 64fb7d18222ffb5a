package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// The audit log is complete even if the log is not read and a visitor makes logins fail as fast as possible.
func TestAuditLogIsCompleteUnderFailingLogins(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"an invented state":    "/oauth2/callback?code=y&state=" + strings.Repeat("A", 43),
		"no state":             "/oauth2/callback",
		"an error":             "/oauth2/callback?error=access_denied&state=x",
		"the provider is down": "/oauth2/start?rd=/members/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, w := pipe(t)
			g := startLogging(t, w, "json", "")
			g.flood(path, 12_000, http.Header{"Accept": {"text/html"}}, func(status int) bool { return status >= 400 })
			if strings.Contains(g.text("/readyz"), `"audit_log"`) {
				t.Errorf("the audit log is incomplete: %s", g.text("/readyz"))
			}
			if code := g.terminate(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}
