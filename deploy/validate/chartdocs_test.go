package validate

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const guide = "../../docs/kubernetes.md"

func readGuide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blockOf matches a fenced block.
var blockOf = regexp.MustCompile("(?ms)^```(yaml|sh)\n(.*?)^```$")

func TestDocumentedValuesRender(t *testing.T) {
	t.Parallel()
	var blocks int
	for _, block := range blockOf.FindAllStringSubmatch(readGuide(t), -1) {
		if block[1] != "yaml" {
			continue
		}
		blocks++
		in := install(t, minimal(t, block[2]))
		in.check(t)
		in.checkTestPod(t)
	}
	if blocks < 4 {
		t.Errorf("%s has %d blocks of values", guide, blocks)
	}
}

// The files that hubgate init writes must install as the guide says.
func TestDocumentedStepsInstallWhatInitWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run := func(directory, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = directory
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	binary := buildHubgate(t)
	run(folder, binary, "init", "--site", "https://www.example.com", "--hub-id", "12345678", "--user-pool",
		"eu-west-1_AbCdEf123")
	command := regexp.MustCompile(`(?m)^awk .*$`).FindString(readGuide(t))
	run(folder, "sh", "-c", command)
	text, err := os.ReadFile(folder + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := install(t, parseValues(t, string(text)+"\nimage: {tag: 1.2.3}\nsecrets: {env: [hubgate]}\n"))
	in.check(t)
	for _, want := range []string{"'[${POD_IP}]:9090'", "health_path: /healthz", "hub_id: 12345678", "- ${HUBGATE_KEY}"} {
		if !strings.Contains(in.configuration(t), want) {
			t.Errorf("no %s in\n%s", want, in.configuration(t))
		}
	}
	if from := in.deployments[0].Spec.Template.Spec.Containers[0].EnvFrom; len(from) != 1 {
		t.Errorf("the Secret is not in the environment: %v", from)
	}
}
