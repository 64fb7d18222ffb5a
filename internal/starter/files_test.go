package starter

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

// environment reads lines of NAME=value as a shell does, with a value for what is to be filled in.
func environment(t *testing.T, text string) func(string) string {
	t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || strings.ContainsAny(value, " '\"$`\\;&|<>") {
			t.Fatalf("a shell reads this line in another way: %s", line)
		}
		if value == "" {
			value = "filled-in"
		}
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

// written writes the files for the answers into a folder of its own and loads the configuration.
func written(t *testing.T, a *Answers) (folder string, cfg *config.Config, rep *config.Report) {
	t.Helper()
	files, err := a.Files()
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	if err := Write(folder, files); err != nil {
		t.Fatal(err)
	}
	secrets, err := os.ReadFile(filepath.Join(folder, SecretsFile))
	if err != nil {
		t.Fatal(err)
	}
	cfg, rep = config.Load(filepath.Join(folder, config.FileName), environment(t, string(secrets)))
	return folder, cfg, rep
}

// The fuzzer looks for answers that are accepted, and whose files are not what they say.
func FuzzAcceptedAnswersPassCheck(f *testing.F) {
	f.Add("https://www.example.com", "12345678", "eu-west-1_AbCdEf123", "4jqexample7k")
	f.Add("bücher.example/", "100", "cn-north-1_A", "")
	f.Add("http://localhost:8080", "7", "us-gov-west-1_x", "null")
	f.Add("http://[::1]:1", "51", "eu-west-1_1", "1e5")
	f.Add("https://www.example.com./", "0012", "eu-west-1_1", "~")
	f.Add("https://a:443", "1", "eu-west-1_1", "0x1")
	f.Fuzz(func(t *testing.T, site, hubID, pool, client string) {
		a := &Answers{}
		texts := map[string]string{"site": site, "hub-id": hubID, "user-pool": pool, "client-id": client}
		for _, q := range Questions() {
			if q.Answer(a, texts[q.Flag]) != nil {
				return
			}
		}
		a.Template = "cloudformation"
		folder, cfg, rep := written(t, a)
		if lines := rep.Lines(); len(lines) > 0 {
			t.Errorf("%+v: %q", a, lines)
		}
		printed := []openid.ReturnURLs{{Callback: a.CallbackURL(), SignedOut: a.SignOutURL()}}
		if d := cmp.Diff(cfg.Returns(), printed); d != "" {
			t.Errorf("-used +printed\n%s", d)
		}
		if cfg.Auth.UserPool != a.UserPool || a.ClientID != "" && cfg.Auth.ClientID != a.ClientID {
			t.Errorf("%+v became %q %q", a, cfg.Auth.UserPool, cfg.Auth.ClientID)
		}
		properties := clientOf(t, readFile(t, folder, "cognito.yaml"))
		if d := cmp.Diff(properties["CallbackURLs"], []any{a.CallbackURL()}); d != "" {
			t.Error(d)
		}
	})
}

func readFile(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// clientOf returns the properties of the app client in a CloudFormation template, or in the resources of one.
func clientOf(t *testing.T, text string) map[string]any {
	t.Helper()
	type resources map[string]struct{ Properties map[string]any }
	var template struct {
		Resources resources `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "Properties:", "properties:")), &template); err != nil {
		t.Fatal(err)
	}
	return template.Resources["SiteClient"].Properties
}

func example() *Answers {
	return &Answers{Site: "https://www.example.com", HubID: 12345678, DataCenter: "na1", UserPool: "eu-west-1_AbCdEf123"}
}

func TestCloudFormationIsTheOneOfTheDocuments(t *testing.T) {
	t.Parallel()
	_, block, _ := strings.Cut(configtest.Read(t, "docs", "install.md"), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	want := clientOf(t, "Resources:\n  "+strings.ReplaceAll(block, "\n", "\n  "))
	a := example()
	a.Template = "cloudformation"
	folder, _, _ := written(t, a)
	got := clientOf(t, readFile(t, folder, "cognito.yaml"))
	if got["UserPoolId"] != "eu-west-1_AbCdEf123" {
		t.Error(got["UserPoolId"])
	}
	delete(got, "UserPoolId")
	delete(want, "UserPoolId")
	if d := cmp.Diff(want, got); d != "" || len(got) < 15 {
		t.Errorf("-docs/install.md +cognito.yaml\n%s", d)
	}
}

var (
	capital  = regexp.MustCompile(`[A-Z][a-z]*`)
	renaming = strings.NewReplacer("ClientName", "Name", "OAuth", "Oauth", "URLs", "Urls")
)

// The Terraform file creates the same client. Its names are those of CloudFormation in another spelling.
func TestTerraformIsTheSameAsCloudFormation(t *testing.T) {
	t.Parallel()
	a := example()
	a.Template = "cloudformation"
	folder, _, _ := written(t, a)
	properties := clientOf(t, readFile(t, folder, "cognito.yaml"))
	a.Template = "terraform"
	folder, _, _ = written(t, a)
	text := readFile(t, folder, "cognito.tf")
	check := func(name string, value any) {
		name = capital.ReplaceAllStringFunc(renaming.Replace(name), func(word string) string {
			return "_" + strings.ToLower(word)
		})[1:]
		encoded, _ := json.Marshal(value)
		shown := regexp.QuoteMeta(strings.ReplaceAll(string(encoded), ",", ", "))
		if !regexp.MustCompile(`(?m)^\s+` + name + `\s+= ` + shown + `(?: #.*)?$`).MatchString(text) {
			t.Errorf("there is no %s = %s", name, encoded)
		}
	}
	for name, value := range properties {
		block, isBlock := value.(map[string]any)
		if !isBlock {
			check(name, value)
		}
		for name, value := range block {
			check(name, value)
		}
	}
}

func TestWriteReplacesNothing(t *testing.T) {
	t.Parallel()
	files, err := example().Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{config.FileName, SecretsFile} {
		for kind, put := range map[string]func(path string) error{
			"file":          func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
			"dangling link": func(path string) error { return os.Symlink("elsewhere", path) },
			"folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		} {
			folder := t.TempDir()
			if err := put(filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			if err := Write(folder, files); err == nil || !strings.Contains(err.Error(), "files that exist: "+name) {
				t.Errorf("%s %s: %v", kind, name, err)
			}
			if all, err := os.ReadDir(folder); err != nil || len(all) != 1 {
				t.Errorf("%s %s: %v %v", kind, name, all, err)
			}
		}
	}
}

func TestSecretsAreNewAndOnlyForTheirOwner(t *testing.T) {
	t.Parallel()
	secrets := map[string]bool{}
	for range 2 {
		folder, cfg, _ := written(t, example())
		info, err := os.Stat(filepath.Join(folder, SecretsFile))
		if err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%v %v", info.Mode(), err)
		}
		for _, secret := range []string{cfg.Session.Keys[0].Reveal(), cfg.Server.AdminToken.Reveal()} {
			secrets[secret] = true
			if strings.Contains(readFile(t, folder, config.FileName), secret) {
				t.Error("a secret is in the configuration")
			}
		}
	}
	if len(secrets) != 4 {
		t.Errorf("%d different secrets", len(slices.Collect(maps.Keys(secrets))))
	}
}
