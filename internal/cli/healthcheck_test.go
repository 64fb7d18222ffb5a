package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
)

// The answer of another server, to which the listener redirects, says nothing about this one.
func TestHealthcheckFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(target.Close)
	listener := httptest.NewServer(http.RedirectHandler(target.URL+"/livez", http.StatusTemporaryRedirect))
	t.Cleanup(listener.Close)
	err := healthcheck(&command.Env{Ctx: t.Context(), Stdout: io.Discard}, listener.URL+"/livez")
	if err == nil || !strings.Contains(err.Error(), "307") {
		t.Error(err)
	}
}
