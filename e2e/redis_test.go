package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// redisCLI asks a Redis by its own command line.
func redisCLI(t *testing.T, port int, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "redis-cli", append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(port)}, args...)...).CombinedOutput()
	if err != nil {
		return err.Error() + string(out)
	}
	return string(out)
}

// single is the section session.redis of one Redis.
func single(port int) string { return fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"]}`, port) }

func TestARedisThatIsRestartedIsUsedAgainAndNobodyIsSignedOut(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)
	durable := []string{"--dir", t.TempDir(), "--appendonly", "yes", "--appendfsync", "always"}
	store := startRedis(t, port, durable...)
	w := newWorldOn(t, fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"]}`, port))
	w.serve()
	v := newVisitor(t)
	w.login(v, "/members/")
	store.kill()
	for range 20 {
		got := v.open(w.site() + "/members/")
		if !strings.HasPrefix(got.Request.URL.String(), w.site()) || got.StatusCode != http.StatusOK {
			t.Fatalf("without Redis: %d at %s", got.StatusCode, got.Request.URL)
		}
		if public := v.open(w.site() + "/pricing"); public.StatusCode != http.StatusOK {
			t.Fatalf("a public page without Redis: %d", public.StatusCode)
		}
	}
	startRedis(t, port, durable...)
	eventually(t, "a login works again", func() bool { return newLogin(w) })
	if got := v.open(w.site() + "/members/"); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Request.URL.String(), w.site()) {
		t.Errorf("after the restart: %d at %s", got.StatusCode, got.Request.URL)
	}
}

// newLogin tells whether a login can be finished: whether the store takes writes again.
func newLogin(w *world) bool {
	v := newVisitor(w.t)
	form := v.open(w.site() + "/members/")
	if !strings.Contains(form.Request.URL.Host, strconv.Itoa(w.providerPort)) {
		return false
	}
	return v.submit(form, "/login/username", map[string]string{"username": "test-user@localhost", "password": "verysecure"}).StatusCode == http.StatusOK
}
