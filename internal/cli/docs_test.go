package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
)

// root is the path of the repository from this package.
const root = "../.."

func TestConfigKeysAreDocumented(t *testing.T) {
	t.Parallel()
	text := configtest.Read(t, "docs", "configuration.md") + configtest.Read(t, "docs", "contacts.md") +
		configtest.Read(t, "docs", "pages.md")
	for _, key := range configKeys(reflect.TypeFor[config.Config]()) {
		word := regexp.MustCompile(`\b` + key + `\b`)
		if !word.MatchString(text) {
			t.Errorf("%s is not documented", key)
		}
	}
}

// configKeys returns the YAML keys of a Config and of everything below it.
func configKeys(of reflect.Type) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range of.NumField() {
		if tag := of.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
			keys = append(keys, tag)
			keys = append(keys, configKeys(of.Field(i).Type)...)
		}
	}
	return keys
}

func TestSmallestConfigIsValid(t *testing.T) {
	t.Parallel()
	text := configtest.Smallest(t)
	if lines := strings.Count(text, "\n"); lines > 15 {
		t.Errorf("it has %d lines; at most 15 are promised", lines)
	}
	checked(t, text)
}

func TestKubernetesConfigIsValid(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(configtest.Read(t, "deploy", "kubernetes.yaml"), "hubgate.yaml: |\n")
	text, _, found := strings.Cut(after, "\n---")
	if !found {
		t.Fatal("it is not there")
	}
	text = strings.NewReplacer("\n    ", "\n", "WWW.EXAMPLE.COM", "www.example.com", "HUBID", "12345678", "NN", "20",
		"eu-west-1_ABCDEF123", "eu-west-1_AbCdEf123", "CLIENTID", "client", "REDIS:", "redis:").Replace("\n" + text + "\n")
	for _, address := range []string{"10.1.2.3", "fd00:10:244::a", "2600:1f13::5"} {
		checked(t, strings.ReplaceAll(text, "${POD_IP}", address))
	}
}

func TestComposeConfigIsValid(t *testing.T) {
	t.Parallel()
	checked(t, strings.NewReplacer("WWW.EXAMPLE.COM", "www.example.com", "ADMIN@EXAMPLE.COM", "admin@example.com",
		"HUBID", "12345678", "NN", "20", "eu-west-1_ABCDEF123", "eu-west-1_AbCdEf123", "CLIENTID", "client",
		"HUBGATE_ADMIN_TOKEN", "ADMIN_TOKEN",
	).Replace(configtest.Read(t, "deploy", "compose", "hubgate.yaml")))
}

// checked loads a configuration as check does and fails on every problem.
func checked(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hubgate.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, rep := config.Load(file, configtest.Environment)
	for _, line := range rep.Lines() {
		t.Error(line)
	}
	return cfg
}

func TestCatalogueHasEveryCause(t *testing.T) {
	t.Parallel()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	causes := auth.Causes()
	causes[page.Refused] = append(causes[page.Refused], "*", "body", "no_host", "logout_token", rules.ReasonHubSpot)
	causes[page.Unavailable] = append(causes[page.Unavailable], "store", "crm")
	causes[page.BadGateway] = append(causes[page.BadGateway], "dial", "tls", "reset")
	causes[page.GatewayTimeout] = append(causes[page.GatewayTimeout], "timeout")
	causes[page.Forbidden] = append(causes[page.Forbidden], "origin", rules.ReasonLists, rules.ReasonProperties,
		rules.ReasonUnverified)
	causes[page.Scheme] = append(causes[page.Scheme], "scheme")
	for name, list := range causes {
		for _, cause := range list {
			if !pages.HasCause(name, cause) {
				t.Errorf("the catalogue has no sentence for %s.%s", name, cause)
			}
		}
	}
}
