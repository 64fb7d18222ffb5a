package gateway_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/cli"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/internal/gateway"
)

// runCommand runs a command with an address and a token file.
func runCommand(t *testing.T, address, token string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	args = append(args, "--admin", address, "--token-file", file)
	status = cli.Run(t.Context(), args, configtest.Environment, &out, &messages)
	return status, out.String(), messages.String()
}

// commandCase is a command line, where and with which token it asks, and what it must answer.
type commandCase struct {
	line, address, token string
	status               int
	output               string
}

// check runs the command.
func (c commandCase) check(t *testing.T) {
	t.Helper()
	status, stdout, stderr := runCommand(t, c.address, c.token, strings.Fields(c.line)...)
	if status != c.status || !strings.Contains(stdout+stderr, c.output) ||
		strings.Contains(stderr, "refresh tokens") || (status != 0 && stdout != "") {
		t.Errorf("%s: %d\n%s%s", c.line, status, stdout, stderr)
	}
}

func TestOperatorCommandExplainsErrors(t *testing.T) {
	t.Parallel()
	gw := httptest.NewServer(gateway.AdminHandler(t))
	t.Cleanup(gw.Close)
	visitors := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"status":401,"detail":"Please log in to see this page."}`))
	}))
	t.Cleanup(visitors.Close)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>Welcome"))
	}))
	t.Cleanup(pages.Close)

	for _, c := range []commandCase{
		{"sessions list", gw.URL, configtest.AdminToken, 0, "Nobody is logged in."},
		{"sessions lst", gw.URL, configtest.AdminToken, 2, "did you mean list?"},
		{"contacts foo", gw.URL, configtest.AdminToken, 2, "available commands: backfill, dead, forget"},
		{"sessions list --limit 0", gw.URL, configtest.AdminToken, 2, "at least 1"},
		{"sessions list --limit -3", gw.URL, configtest.AdminToken, 2, "at least 1"},
		{"contacts queue --limit 0", gw.URL, configtest.AdminToken, 2, "from 1 to 1000"},
		{"contacts queue --after 99999999999999999999-0", gw.URL, configtest.AdminToken, 1,
			"not one that a previous page returned"},
		{"sessions end 00", gw.URL, configtest.AdminToken, 1, "there is no session"},
		{"sessions end --user nobody@example.com", gw.URL, configtest.AdminToken, 1, "no session for this e-mail"},
		{"sessions end --user bobexample.com", gw.URL, configtest.AdminToken, 2, "is not an e-mail address"},
		{"sessions list", gw.URL, "another", 1, "the token was rejected"},
		{"contacts status", gw.URL, "", 2, "is empty"},
		{"sessions list", visitors.URL, configtest.AdminToken, 1, "is not an admin listener"},
		{"contacts status", pages.URL, configtest.AdminToken, 1, "is not an admin listener"},
		{"sessions list", "127.0.0.1:8083", configtest.AdminToken, 2, "write http://127.0.0.1:8083"},
		{"contacts status", "localhost:8083", configtest.AdminToken, 2, "write http://localhost:8083"},
		{"contacts status", "ftp://localhost:8083", configtest.AdminToken, 2, "is not a URL"},
	} {
		c.check(t)
	}
}

func TestContactCommandExplainsErrors(t *testing.T) {
	t.Parallel()
	gw := httptest.NewServer(gateway.AdminHandler(t))
	t.Cleanup(gw.Close)
	for _, c := range []commandCase{
		{"contacts dead --limit 1001", gw.URL, configtest.AdminToken, 2, "from 1 to 1000"},
		{"contacts dead --after x", gw.URL, configtest.AdminToken, 1, "not one that a previous page returned"},
		{"contacts replay 1-1", gw.URL, configtest.AdminToken, 1, "no such dead letter"},
		{"contacts replay UNKNOWN -o json", gw.URL, configtest.AdminToken, 1, "no such dead letter"},
		{"contacts dead", gw.URL, configtest.AdminToken, 0, "There are no dead letters."},
		{"contacts dead 1-1", gw.URL, configtest.AdminToken, 2, "takes no arguments"},
		{"contacts dead --drop 1-1 2-2", gw.URL, configtest.AdminToken, 1, "no such dead letter"},
		{"contacts dead --drop ALL", gw.URL, configtest.AdminToken, 1, "no such dead letter"},
		{"contacts dead --drop all", gw.URL, configtest.AdminToken, 0, "There are no dead letters."},
		{"contacts send bobexample.com", gw.URL, configtest.AdminToken, 2, "is not an e-mail address"},
		{"contacts send bob@example.com", gw.URL, configtest.AdminToken, 1,
			"no login of bob@example.com is known; --create makes a contact with the constants only"},
		{"contacts send bob@example.com --create", gw.URL, configtest.AdminToken, 0, "constants only"},
		{"contacts show bob@example.com", gw.URL, configtest.AdminToken, 0, "1 queued login\n"},
		{"contacts forget bob@example.com", gw.URL, configtest.AdminToken, 0, "removed 1 queued login, 0 dead letters"},
		{"contacts forget bob@example.com", gw.URL, configtest.AdminToken, 0, "Nothing was found for bob@example.com"},
		{"contacts show bob@example.com", gw.URL, configtest.AdminToken, 0, "forgotten: yes"},
		{"contacts send bob@example.com --create", gw.URL, configtest.AdminToken, 1, "was forgotten"},
		{"contacts forget bob@example.com --allow", gw.URL, configtest.AdminToken, 0, "no longer forgotten"},
		{"contacts forget bob@example.com --allow", gw.URL, configtest.AdminToken, 0, "was not forgotten"},
		{"contacts forget bob", gw.URL, configtest.AdminToken, 2, "is not an e-mail address"},
		{"contacts forget bob@", gw.URL, configtest.AdminToken, 1, "email is not an e-mail address"},
		{"contacts show", gw.URL, configtest.AdminToken, 2, "required: an e-mail address"},
		{"contacts replay --all", gw.URL, configtest.AdminToken, 0, "There are no dead letters."},
	} {
		c.check(t)
	}
}
