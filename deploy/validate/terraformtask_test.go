package validate

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v3"
)

// terraformFunctions returns those of Terraform's functions that these tests evaluate.
func terraformFunctions() map[string]function.Function {
	return map[string]function.Function{
		"can": tryfunc.CanFunc, "regex": stdlib.RegexFunc, "concat": stdlib.ConcatFunc, "join": stdlib.JoinFunc,
		"jsonencode": stdlib.JSONEncodeFunc, "floor": stdlib.FloorFunc, "cidrsubnet": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "bits", Type: cty.Number},
				{Name: "number", Type: cty.Number}},
			Type: function.StaticReturnType(cty.String),
			Impl: func(arguments []cty.Value, _ cty.Type) (cty.Value, error) { // correct for number 0
				prefix, err := netip.ParsePrefix(arguments[0].AsString())
				return cty.StringVal(prefix.String()), err
			},
		}),
		"templatefile": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String},
				{Name: "values", Type: cty.DynamicPseudoType}},
			Type: function.StaticReturnType(cty.String),
			Impl: func(arguments []cty.Value, _ cty.Type) (cty.Value, error) {
				return renderTemplate(arguments[0].AsString(), arguments[1].AsValueMap())
			},
		}),
	}
}

// renderTemplate fails for values that the template does not use, which Terraform accepts.
func renderTemplate(path string, values map[string]cty.Value) (cty.Value, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return cty.NilVal, err
	}
	template, problems := hclsyntax.ParseTemplate(text, path, hcl.InitialPos)
	if problems.HasErrors() {
		return cty.NilVal, problems
	}
	used := map[string]bool{}
	for _, traversal := range template.Variables() {
		used[traversal.RootName()] = true
	}
	for name := range values {
		if !used[name] {
			return cty.NilVal, errors.New(path + " does not use " + name)
		}
	}
	value, problems := template.Value(&hcl.EvalContext{Variables: values})
	if problems.HasErrors() {
		return cty.NilVal, problems
	}
	return value, nil
}

// created is what AWS would answer about the resources that the task definition refers to.
func created() map[string]cty.Value {
	of := func(name, attribute, value string) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{
			name: cty.ObjectVal(map[string]cty.Value{attribute: cty.StringVal(value)})})
	}
	return map[string]cty.Value{
		"path":                              cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal("../terraform")}),
		"aws_cognito_user_pool_client":      of("hubgate", "id", "client"),
		"aws_elasticache_replication_group": of("redis", "primary_endpoint_address", "master.example.amazonaws.com"),
		"aws_cloudwatch_log_group":          of("hubgate", "name", "/ecs/hubgate"),
		"aws_secretsmanager_secret":         of("cognito", "arn", "arn:aws:secretsmanager:cognito"),
		"data": cty.ObjectVal(map[string]cty.Value{
			"aws_secretsmanager_secret": of("operator", "arn", "arn:aws:secretsmanager:operator")}),
		"var": cty.ObjectVal(map[string]cty.Value{
			"region": cty.StringVal("eu-west-1"), "name": cty.StringVal("hubgate"), "hub_id": cty.NumberIntVal(12345678),
			"user_pool_id": cty.StringVal("eu-west-1_AbCdEf123"), "config_image": cty.StringVal("busybox:1.37.0"),
			"site_url": variableCases["site_url"].good, "vpc_cidr": variableCases["vpc_cidr"].good,
			"origin": variableCases["origin"].good, "image": variableCases["image"].good,
			"memory": cty.NumberIntVal(1024)}),
	}
}

// local evaluates a local value, after those that it refers to.
func (m *terraform) local(t *testing.T, name string) cty.Value {
	t.Helper()
	variables, locals := created(), map[string]cty.Value{}
	for _, traversal := range m.locals[name].Variables() {
		if used, is := strings.CutPrefix(reference(traversal), "local."); is {
			locals[used] = m.local(t, used)
		}
	}
	variables["local"] = cty.ObjectVal(locals)
	value, problems := m.locals[name].Value(&hcl.EvalContext{Variables: variables, Functions: terraformFunctions()})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return value
}

// container is what these tests read of a container definition of ECS.
type container struct {
	Name, Image string
	Essential   bool
	Command     []string
	DependsOn   []struct{ ContainerName, Condition string }
	Environment []struct{ Name, Value string }
	Secrets     []struct{ Name, ValueFrom string }
	MountPoints []struct {
		ContainerPath string
		ReadOnly      bool
	}
	PortMappings           []struct{ ContainerPort int }
	ReadonlyRootFilesystem bool
	LinuxParameters        struct{ Capabilities struct{ Drop []string } }
	StopTimeout            int
	HealthCheck            struct{ Command []string }
}

func terraformContainers(t *testing.T) map[string]container {
	t.Helper()
	value := readTerraform(t).local(t, "containers")
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		t.Fatal(err)
	}
	var all []container
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string]container{}
	for _, c := range all {
		if byName[c.Name] = c; !c.ReadonlyRootFilesystem {
			t.Errorf("the container %s can write its root file system", c.Name)
		}
		if !slices.Equal(c.LinuxParameters.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("the container %s has capabilities", c.Name)
		}
	}
	return byName
}

// TestTerraformConfigPassesCheck runs hubgate check on the configuration that the task's first container writes.
func TestTerraformConfigPassesCheck(t *testing.T) {
	t.Parallel()
	writer := terraformContainers(t)["config"]
	if len(writer.Environment) != 1 || len(writer.Environment[0].Value) > 60<<10 { // the task definition has 64 KiB
		t.Fatal("the configuration is not there, or too large for a task definition")
	}
	folder := t.TempDir()
	write := exec.CommandContext(t.Context(), "sh", "-c",
		strings.ReplaceAll(writer.Command[0], writer.MountPoints[0].ContainerPath, folder))
	write.Env = []string{writer.Environment[0].Name + "=" + writer.Environment[0].Value}
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hubgate := filepath.Join(t.TempDir(), "hubgate")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../..", "-o", hubgate, "./cmd/hubgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check := exec.CommandContext(t.Context(), hubgate, "check", "--strict", "--no-secrets",
		"--config", filepath.Join(folder, "hubgate.yaml"))
	check.Env = []string{}
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, writer.Environment[0].Value)
	}
}

func TestTerraformTaskFitsItsConfig(t *testing.T) {
	t.Parallel()
	containers := terraformContainers(t)
	hubgate, writer := containers["hubgate"], containers["config"]
	var conf hubgateConfig
	text := writer.Environment[0].Value
	if err := yaml.Unmarshal([]byte(text), &conf); err != nil {
		t.Fatal(err)
	}
	module := readTerraform(t)
	if conf.Server.HealthPath != module.local(t, "health_path").AsString() {
		t.Errorf("the load balancer asks another path than %s", conf.Server.HealthPath)
	}
	for i, listen := range []string{conf.Server.Listen, conf.Server.AdminListen} {
		if port := hubgate.PortMappings[i].ContainerPort; listen != ":"+strconv.Itoa(port) {
			t.Errorf("hubgate listens on %s, and the container's port is %d", listen, port)
		}
	}
	drain := conf.Server.DrainDelay + conf.Server.DrainTimeout
	if stop := hubgate.StopTimeout; stop < int(drain.Seconds())+5 || stop > 120 { // 120 is Fargate's limit
		t.Errorf("hubgate is killed after %d s, and drains for %v", stop, drain)
	}
	if len(hubgate.DependsOn) != 1 || hubgate.DependsOn[0].Condition != "SUCCESS" || writer.Essential {
		t.Error("hubgate does not wait for its configuration, or stops with the container that wrote it")
	}
	if mount := hubgate.MountPoints[0]; mount.ContainerPath != "/etc/hubgate" || !mount.ReadOnly {
		t.Errorf("the image reads /etc/hubgate/hubgate.yaml, and the mount is %+v", mount)
	}
	if limit := hubgate.Environment[0]; limit.Name != "GOMEMLIMIT" || limit.Value != "819MiB" {
		t.Errorf("of 1024 MiB, hubgate may use %+v", limit)
	}
	if !slices.Equal(hubgate.HealthCheck.Command, []string{"CMD", "/hubgate", "healthcheck"}) {
		t.Errorf("the health check is %q", hubgate.HealthCheck.Command)
	}
	for _, secret := range hubgate.Secrets {
		if !strings.Contains(text, "${"+secret.Name+"}") {
			t.Errorf("the configuration does not use the secret %s", secret.Name)
		}
	}
	if len(hubgate.Secrets) != strings.Count(text, "${") {
		t.Errorf("the configuration uses other secrets than %v", hubgate.Secrets)
	}
}
