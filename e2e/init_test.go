package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What init writes leads to a visitor who is logged in. The secrets are filled in as its output says, and only the
// addresses of Cognito, HubSpot and Redis, which are on this machine, are changed.
func TestInitLeadsToALogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{provider: cognito})
	folder := t.TempDir()
	run := func(line string) string {
		t.Helper()
		status, out := shell(t, folder, line)
		if status != 0 {
			t.Fatalf("%s: exit status %d\n%s", line, status, out)
		}
		return out
	}
	printed := run(binary + " init --site " + s.url + " --hub-id 12345678 --user-pool " + poolID + " --client-id web")
	for _, url := range []string{s.url + "/oauth2/callback", s.url + "/oauth2/signed_out"} {
		if !strings.Contains(printed, url+"\n") { // the fake accepts no others
			t.Errorf("%s is not among\n%s", url, printed)
		}
	}
	edit(t, filepath.Join(folder, ".env"), "COGNITO_CLIENT_SECRET=", "COGNITO_CLIENT_SECRET=secret",
		"HUBSPOT_TOKEN=", "HUBSPOT_TOKEN="+accessToken)
	edit(t, filepath.Join(folder, "hubgate.yaml"),
		"https://12345678.sites-proxy.hscoscdn20.net", s.origin.URL, "user_pool: "+poolID, "issuer: "+s.pool.issuer(),
		"redis: {urls: [\"redis://127.0.0.1:6379/0\"]}", "redis: "+s.redis.section(),
		"hub_id: 12345678", "api_url: "+s.crm.URL,
		"server:\n", "server:\n  listen: "+local(s.port)+"\n  admin_listen: "+local(freePorts(t, 1))+"\n")
	const secrets = "set -a; . ./.env; set +a; exec " // as init prints it
	run(secrets + binary + " check --strict")
	cmd, out := exec.Command("sh", "-c", secrets+binary+" serve"), newTranscript()
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, out, out
	p := startCommand(t, cmd)
	p.out = out
	p.waitFor(`"msg":"serving"`)
	p.waitFor(`"from":"the working directory"`)
	visitor := s.visitor()
	if got := s.login(visitor, "/members/area"); !s.shows(got, "/members/area") {
		t.Errorf("the login ends with %d at %s", got.StatusCode, got.Request.URL)
	}
	eventually(t, "the contact arrives", func() bool { return s.crm.contact("alice@example.com") != nil })
}

// edit replaces texts in a file, each of which must be there.
func edit(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			t.Errorf("%s has no %q", filepath.Base(path), pairs[i])
		}
	}
	overwrite(t, path, strings.NewReplacer(pairs...).Replace(string(text)))
}
