package config_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/cli"
	"github.com/hubgate/hubgate/internal/configtest"
)

// secrets are values of a client secret and what check says about them: "" when it accepts them.
var secrets = map[string]struct{ value, says string }{
	"valid":                     {"s3cr3t", ""},
	"a newline":                 {"s3cr3t\n", ""},
	"a newline of Windows":      {"s3cr3t\r\n", ""},
	"a byte order mark":         {"\ufeffs3cr3t", "begins with a byte order mark (U+FEFF); save it as UTF-8 without"},
	"a mark and a newline":      {"\ufeffs3cr3t\r\n", "begins with a byte order mark"},
	"a mark alone":              {"\ufeff", "begins with a byte order mark"},
	"UTF-16":                    {"\xff\xfes\x003\x00", "UTF-16; save it as UTF-8"},
	"UTF-16, the other way":     {"\xfe\xff\x00s\x003", "UTF-16"},
	"UTF-16 without a mark":     {"s\x003\x00", "NUL byte"},
	"Latin-1":                   {"s3cr\xe9t", "not UTF-8"},
	"a no-break space":          {"s3cr3t\u00a0", "ends with a no-break space"},
	"a no-break space inside":   {"s3\u00a0cr3t", "contains a no-break space (U+00A0)"},
	"a zero-width space":        {"s3cr3t\u200b\n", "U+200B"},
	"a zero-width one inside":   {"s3\u200bcr3t", "U+200B"},
	"a word joiner":             {"\u2060s3cr3t", "U+2060"},
	"a mark of direction":       {"s3cr3t\u202c", "U+202C"},
	"a soft hyphen":             {"s3\u00adcr3t", "U+00AD"},
	"a blank letter":            {"s3cr3t\u3164", "U+3164"},
	"a space":                   {"s3cr3t ", "ends with a space"},
	"a tab":                     {"\ts3cr3t", "begins with a tab"},
	"two newlines":              {"s3cr3t\n\n", "ends with a line break; remove it"},
	"a carriage return":         {"s3cr3t\r", "ends with a line break"},
	"an empty line before":      {"\ns3cr3t\n", "begins with a line break"},
	"two lines":                 {"s3cr3t\nother\n", "contains a line break"},
	"an escape":                 {"s3\x1b[31mcr3t", "U+001B"},
	"an ideographic space":      {"s3cr3t\u3000", "U+3000"},
	"a non-character at a side": {"\ufffes3cr3t", "U+FFFE"},
}

func TestSecretWithInvisibleCharacter(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/config/env-list.yaml")
	if err != nil {
		t.Fatal(err)
	}
	valid := strings.Replace(string(text), "${LIST}", "[https://www.example.com]", 1)
	for name, c := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "secret"), []byte(c.value), 0o600); err != nil {
				t.Fatal(err)
			}
			env := func(name string) string {
				if name == "SECRET" {
					return strings.TrimSuffix(strings.TrimSuffix(c.value, "\n"), "\r")
				}
				return configtest.FixtureEnvironment(name)
			}
			for source, config := range map[string]string{
				"file": strings.Replace(valid, "${SECRET}", "${file:secret}", 1), "environment": valid,
			} {
				if source == "environment" && strings.Contains(c.says, "UTF-16") {
					continue // only files have byte order marks
				}
				path := filepath.Join(folder, source+".yaml")
				if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
					t.Fatal(err)
				}
				var stderr bytes.Buffer
				code := cli.Run(context.Background(), []string{"check", "--config", path}, env, &stderr, &stderr)
				got := stderr.String()
				if code != 0 != (c.says != "") && !(source == "environment" && strings.HasSuffix(c.value, "\r")) {
					t.Errorf("%s: exit status %d\n%s", source, code, got)
				}
				named := strings.Contains(got, c.says) && strings.Contains(got, ":15:3: error: auth.client_secret")
				if source == "file" && c.says != "" && !named {
					t.Errorf("%s: not %q\n%s", source, c.says, got)
				}
			}
		})
	}
}
