// Package configtest gives tests the configurations that the documents show and the environment that these refer to.
package configtest

import (
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
