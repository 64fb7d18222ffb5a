package e2e

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/testservice"
)

// maxCommands is how many commands lead from a clone to the first login, with those that clone it and enter it.
const maxCommands = 10

// quickStart returns the commands of the README that lead from a clone to a running gateway: before the secrets are
// filled in with an editor, and after it.
func quickStart(t *testing.T) (before, after []string) {
	t.Helper()
	found, _ := blocks(t, "README.md")
	i := slices.IndexFunc(found, func(b block) bool {
		return strings.Contains(b.text, "hubgate init") && strings.Contains(b.text, "hubgate serve")
	})
	if i < 0 {
		t.Fatal("the README has no block that leads from init to serve")
	}
	lines := strings.Split(strings.TrimSpace(found[i].text), "\n")
	if len(lines) > maxCommands || !strings.HasPrefix(lines[0], "git clone ") || !strings.HasPrefix(lines[1], "cd ") {
		t.Fatalf("%s: %d commands, want at most %d, the first of which clone the repository:\n%s", found[i].place(),
			len(lines), maxCommands, found[i].text)
	}
	lines = lines[2:]
	editor := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "EDITOR") })
	if editor < 0 {
		t.Fatalf("%s: no command opens an editor", found[i].place())
	}
	return lines[:editor], lines[editor+1:]
}

// clone copies the repository into a new folder, as a reader has it: its folders with code, and the module.
func clone(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		from, to := filepath.Join("..", entry.Name()), filepath.Join(folder, entry.Name())
		switch name := entry.Name(); {
		case entry.IsDir() && name[0] != '.' && name != "e2e":
			err = os.CopyFS(to, os.DirFS(from))
		case name == "go.mod" || name == "go.sum":
			err = copyFile(from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// redirectRedis makes the command redis-server listen on a port of the test. It returns a folder for PATH.
func redirectRedis(t *testing.T, port int) string {
	t.Helper()
	testservice.Need(t, "redis", "redis-server")
	real, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	wrapper := write(t, "redis-server",
		fmt.Sprintf("#!/bin/sh\nexec %s \"$@\" --port %d --dir %s --save ''\n", real, port, t.TempDir()))
	if err := os.Chmod(wrapper, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("redis-cli", "-p", fmt.Sprint(port), "shutdown", "nosave").Run() })
	return filepath.Dir(wrapper)
}

// The README's commands lead from a clone to a visitor who is logged in. The site and the user pool are this test's,
// the secrets are filled in where the README opens an editor, and only the addresses of Cognito, HubSpot and Redis,
// which are on this machine, are changed in hubgate.yaml.
func TestReadmeLeadsToALogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{provider: cognito, redis: embedded})
	portal := fakehubspot.New(fakehubspot.Config{Token: accessToken, HubID: 12345678, FaultPercent: fakehubspot.NoFaults})
	api := httptest.NewServer(portal)
	defer api.Close()
	folder, redis, began := clone(t), freePorts(t, 1), time.Now()
	path := "export PATH=" + redirectRedis(t, redis) + ":$PATH\n"
	before, after := quickStart(t)
	own := strings.NewReplacer("https://www.example.com", s.url, "eu-west-1_AbCdEf123", poolID, "4jqexample7k", "web")
	status, printed := shell(t, folder, path+"set -e\n"+own.Replace(strings.Join(before, "\n")))
	if status != 0 {
		t.Fatalf("exit status %d\n%s", status, printed)
	}
	for _, url := range []string{s.url + "/oauth2/callback", s.url + "/oauth2/signed_out"} {
		if !strings.Contains(printed, url+"\n") { // the fake accepts no others
			t.Errorf("%s is not among\n%s", url, printed)
		}
	}
	edit(t, filepath.Join(folder, ".env"), "COGNITO_CLIENT_SECRET=", "COGNITO_CLIENT_SECRET=secret",
		"HUBSPOT_TOKEN=", "HUBSPOT_TOKEN="+accessToken)
	edit(t, filepath.Join(folder, "hubgate.yaml"),
		"https://12345678.sites-proxy.hscoscdn20.net", s.origin.URL, "user_pool: "+poolID, "issuer: "+s.pool.issuer(),
		"127.0.0.1:6379", local(redis), "hub_id: 12345678", "hub_id: 12345678\n  api_url: "+api.URL,
		"server:\n", "server:\n  listen: "+local(s.port)+"\n  admin_listen: "+local(freePorts(t, 1))+"\n")
	p := followed(t, folder, path+"set -e\n"+strings.Join(after, "\n"))
	p.waitFor(`"msg":"serving"`)
	visitor := s.visitor()
	if got := s.login(visitor, "/members/area"); !s.shows(got, "/members/area") {
		t.Errorf("the login ends with %d at %s", got.StatusCode, got.Request.URL)
	}
	t.Logf("%d commands, %s until the first login", len(before)+len(after)+3, time.Since(began).Round(time.Second))
	eventually(t, "the contact arrives", func() bool { return len(portal.Contacts()) == 1 })
}

// followed runs the lines of a shell in a folder until the test ends.
func followed(t *testing.T, folder, lines string) *process {
	t.Helper()
	cmd, out := inShell(t, folder, lines), newTranscript()
	cmd.Stdout, cmd.Stderr = out, out
	p := startCommand(t, cmd)
	p.out = out
	t.Cleanup(func() { _ = cmd.Cancel() }) // the shell and what it runs
	return p
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
