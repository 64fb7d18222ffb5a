package validate

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// composeVariables returns what compose.yaml itself reads from the file .env. The loader adds to it.
func composeVariables() types.Mapping {
	return types.Mapping{"HUBGATE_VERSION": "1.2.3", "GRAFANA_PASSWORD": "a-password"}
}

// composeProject loads deploy/compose.yaml as docker compose does, in a folder with an empty file of secrets.
func composeProject(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	text, err := os.ReadFile("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, ".env"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml"), Content: text}},
		Environment: environment,
	})
}

func loadedCompose(t *testing.T) *types.Project {
	t.Helper()
	project, err := composeProject(t, composeVariables())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// exactTag is a tag that names one release.
var exactTag = regexp.MustCompile(`:v?\d+\.\d+\.\d+(-[a-z]+)?$`)

func TestComposeServicesHaveNoPrivileges(t *testing.T) {
	t.Parallel()
	for name, service := range loadedCompose(t).Services {
		if !exactTag.MatchString(service.Image) {
			t.Errorf("%s: the image %s has no exact tag", name, service.Image)
		}
		if !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.CapAdd) > 0 || service.Privileged {
			t.Errorf("%s has capabilities", name)
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s can gain privileges", name)
		}
		if name != "grafana" && !service.ReadOnly { // Grafana writes outside of its volume
			t.Errorf("%s can write its root file system", name)
		}
		if service.Restart != "unless-stopped" {
			t.Errorf("%s is not restarted", name)
		}
		for _, mount := range service.Volumes {
			if mount.Type == types.VolumeTypeBind && !mount.ReadOnly {
				t.Errorf("%s can write %s", name, mount.Source)
			}
		}
	}
}

func TestComposePublishesOnlyTheSite(t *testing.T) {
	t.Parallel()
	project, conf := loadedCompose(t), composeConfig(t)
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if name != "hubgate" && port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s to other machines", name, port.Published)
			}
		}
	}
	published := map[string]string{}
	for _, port := range project.Services["hubgate"].Ports {
		published[port.Published] = ":" + strconv.Itoa(int(port.Target))
	}
	if len(published) != 2 || published["443"] != conf.Server.Listen || published["80"] != conf.Server.TLS.HTTPListen {
		t.Errorf("hubgate publishes %v, and listens on %s and %s", published, conf.Server.Listen,
			conf.Server.TLS.HTTPListen)
	}
	if conf.Server.AdminListen != ":9090" {
		t.Errorf("prometheus.yml scrapes hubgate:9090, and admin_listen is %s", conf.Server.AdminListen)
	}
}

func TestComposeRedisKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	project, conf := loadedCompose(t), composeConfig(t)
	redis := project.Services["redis"]
	command := strings.Join(redis.Command, " ")
	for _, setting := range []string{"--appendonly yes", "--maxmemory-policy noeviction", "--appendfsync everysec"} {
		if !strings.Contains(command, setting) {
			t.Errorf("redis runs without %s: %s", setting, command)
		}
	}
	if len(redis.Volumes) != 1 || redis.Volumes[0].Target != "/data" || redis.Volumes[0].Type != types.VolumeTypeVolume {
		t.Errorf("the files of redis are in %v", redis.Volumes)
	}
	for name, service := range project.Services {
		if _, reaches := service.Networks["redis"]; reaches != (name == "hubgate" || name == "redis") {
			t.Errorf("%s is on the network of redis: %v", name, reaches)
		}
	}
	if len(redis.Networks) != 1 || !project.Networks["redis"].Internal || len(redis.Ports) > 0 {
		t.Error("redis, which has no password, is reachable from outside of its network")
	}
	if urls := conf.Session.Redis.URLs; !slices.Equal(urls, []string{"redis://redis:6379/0"}) {
		t.Errorf("hubgate uses %v", urls)
	}
	if wait := project.Services["hubgate"].DependsOn["redis"].Condition; wait != types.ServiceConditionHealthy {
		t.Errorf("hubgate waits until redis is %q", wait)
	}
}

func TestComposeGivesHubgateItsFolderAndTimeToDrain(t *testing.T) {
	t.Parallel()
	hubgate := loadedCompose(t).Services["hubgate"]
	if len(hubgate.Volumes) != 1 || hubgate.Volumes[0].Target != "/etc/hubgate" ||
		filepath.Base(hubgate.Volumes[0].Source) != "compose" {
		t.Errorf("the image reads /etc/hubgate/hubgate.yaml, and the mounts are %v", hubgate.Volumes)
	}
	if hubgate.HealthCheck != nil || hubgate.User != "" || len(hubgate.Command) > 0 {
		t.Error("health check, user or command of the image are replaced")
	}
	if grace := time.Duration(*hubgate.StopGracePeriod); grace < 40*time.Second { // drain_delay, drain_timeout, 5 s
		t.Errorf("hubgate is killed after %v", grace)
	}
}

// TestComposeMountsWhatDeployHas also holds that Prometheus scrapes the service hubgate.
func TestComposeMountsWhatDeployHas(t *testing.T) {
	t.Parallel()
	project := loadedCompose(t)
	for name, service := range project.Services {
		for _, mount := range service.Volumes {
			if mount.Type != types.VolumeTypeBind {
				continue
			}
			source, err := filepath.Rel(project.WorkingDir, mount.Source)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join("..", source)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	scrape, err := os.ReadFile("../prometheus/prometheus.yml")
	if err != nil || !strings.Contains(string(scrape), `["hubgate:9090"]`) {
		t.Errorf("prometheus.yml does not scrape hubgate:9090: %v", err)
	}
}

func TestComposeNamesMissingVariables(t *testing.T) {
	t.Parallel()
	for name := range composeVariables() {
		environment := composeVariables()
		delete(environment, name)
		if _, err := composeProject(t, environment); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

var composeVariable = regexp.MustCompile(`\$\{([A-Z_]+)`)

// TestComposeVariablesAreDocumented compares the file .env of docs/vm.md with the variables of both files.
func TestComposeVariablesAreDocumented(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, name := range []string{"../compose.yaml", "../compose/hubgate.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range composeVariable.FindAllStringSubmatch(string(text), -1) {
			used[match[1]] = true
		}
	}
	text, err := os.ReadFile("../../docs/vm.md")
	if err != nil {
		t.Fatal(err)
	}
	_, documented, found := strings.Cut(string(text), "```ini\n   HUBGATE_VERSION=")
	documented, _, _ = strings.Cut("HUBGATE_VERSION="+documented, "```")
	if !found || strings.Count(documented, "=") != len(used) {
		t.Errorf("docs/vm.md has other lines than %v:\n%s", used, documented)
	}
	for name := range used {
		if !strings.Contains(documented, name+"=") {
			t.Errorf("docs/vm.md does not set %s", name)
		}
	}
}

// hubgateConfig is what these tests compare in a configuration of hubgate. The main module checks the whole file.
type hubgateConfig struct {
	Server struct {
		Listen      string
		AdminListen string `yaml:"admin_listen"`
		HealthPath  string `yaml:"health_path"`
		TLS         struct {
			HTTPListen string `yaml:"http_listen"`
		}
		DrainDelay   time.Duration `yaml:"drain_delay"`
		DrainTimeout time.Duration `yaml:"drain_timeout"`
	}
	Session struct {
		Redis struct {
			URLs      []string
			KeyPrefix string `yaml:"key_prefix"`
		}
	}
}

func composeConfig(t *testing.T) hubgateConfig {
	t.Helper()
	text, err := os.ReadFile("../compose/hubgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var conf hubgateConfig
	if err := yaml.Unmarshal(text, &conf); err != nil {
		t.Fatal(err)
	}
	return conf
}
