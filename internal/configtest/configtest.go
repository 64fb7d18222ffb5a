// Package configtest gives tests the configurations that the documents show, the environment that these refer to, and
// the configuration of a HubSpot account on this machine.
package configtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// AdminToken is the value of ${ADMIN_TOKEN} in Environment.
const AdminToken = "an-admin-token-of-some-length-0123456789"

// Environment is the environment that the configurations of the documents refer to.
func Environment(name string) string {
	return map[string]string{
		"HUBGATE_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "COGNITO_CLIENT_SECRET": "a-client-secret",
		"HUBSPOT_TOKEN": "a-token", "REDIS_PASSWORD": "a-password", "ADMIN_TOKEN": AdminToken, "POD_IP": "10.1.2.3",
	}[name]
}

// FixtureEnvironment is the environment of the fixtures in internal/config/testdata.
func FixtureEnvironment(name string) string {
	return map[string]string{
		"SECRET": "s3cr3tvalue", "TOKEN": "pat-na1-x", "KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "EMPTY": "",
	}[name]
}

// Read returns a file of the repository, for a test in one of the packages of internal.
func Read(t testing.TB, parts ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Smallest returns the smallest configuration, which the README shows.
func Smallest(t testing.TB) string {
	t.Helper()
	_, after, found := strings.Cut(Read(t, "README.md"), "## The smallest working configuration")
	block := yamlBlock.FindStringSubmatch(after)
	if !found || block == nil {
		t.Fatal("README.md does not show the smallest configuration")
	}
	return block[1]
}

// Portal is a configuration for HubSpot's own pages, without a login provider that responds.
type Portal struct {
	Origin string // URL of the site
	API    string // URL of HubSpot's API
	Rules  string // the lines of proxy.rules
}

// Write writes the configuration to a file of its own, and returns its path.
func (p Portal) Write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	text := fmt.Sprintf(`version: 1
server:
  public_urls: ["http://localhost:8080"]
proxy:
  origin: %q # the site
  default: public
%s
auth: {issuer: "http://127.0.0.1:1/x", client_id: x, client_auth: none}
session: {keys: [%q], redis: {mode: embedded}}
hubspot: {access_token: pat-x, api_url: %q, rate_limit: {requests: 250, per: 1s}}
`, p.Origin, p.Rules, FixtureEnvironment("KEY"), p.API)
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}
