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

func TestEverythingWorksOnAClusterOfThreeMasters(t *testing.T) {
	t.Parallel()
	need(t, "redis", "redis-server")
	ports := freePorts(t, 6)
	var nodes, urls []string
	for i := range 3 {
		startRedis(t, ports+i, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(ports+3+i))
		nodes = append(nodes, "127.0.0.1:"+strconv.Itoa(ports+i))
		urls = append(urls, fmt.Sprintf("%q", "redis://127.0.0.1:"+strconv.Itoa(ports+i)))
	}
	out := redisCLI(t, ports, append(append([]string{"--cluster", "create"}, nodes...), "--cluster-yes")...)
	eventually(t, "the cluster is up: "+out, func() bool { return strings.Contains(redisCLI(t, ports, "cluster", "info"), "cluster_state:ok") })
	w := newWorldOn(t, "{mode: cluster, urls: ["+strings.Join(urls, ", ")+"]}")
	w.serve()
	v := newVisitor(t)
	if page := w.login(v, "/members/"); page.StatusCode != http.StatusOK {
		t.Fatalf("the login: %d\n%s", page.StatusCode, page.body)
	}
	if got := v.open(w.site() + "/members/handbook"); got.StatusCode != http.StatusOK {
		t.Errorf("the session: %d", got.StatusCode)
	}
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email) != nil })
	out2, err := exec.CommandContext(t.Context(), binary, "sessions", "list", "--config", w.config).Output()
	if err != nil || !strings.Contains(string(out2), email) {
		t.Errorf("sessions list: %v\n%s", err, out2)
	}
	if _, err := exec.CommandContext(t.Context(), binary, "sessions", "end", "--user", email, "--config", w.config).Output(); err != nil {
		t.Errorf("sessions end: %v", err)
	}
	if got := v.open(w.site() + "/members/"); strings.HasPrefix(got.Request.URL.Path, "/members") {
		t.Errorf("an ended session still opens %s", got.Request.URL)
	}
}

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
		if !strings.HasPrefix(got.Request.URL.String(), w.site()) || (got.StatusCode != http.StatusOK && got.StatusCode != http.StatusServiceUnavailable) {
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
