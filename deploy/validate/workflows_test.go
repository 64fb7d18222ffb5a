package validate

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what the test reads of a workflow.
type workflow struct {
	Env  map[string]string
	Jobs map[string]struct {
		Env   map[string]string
		Steps []struct {
			Uses, Run string
			With      map[string]any
		}
	}
}

// TestWorkflowsGiveTheTokenToStepsOnly: every program that a job runs could use a token in the environment of the job,
// or in the configuration of git. An expression inside a script would run what the name of a tag or branch contains
// (CWE-94).
func TestWorkflowsGiveTheTokenToStepsOnly(t *testing.T) {
	t.Parallel()
	for _, file := range []string{".github/workflows/ci.yml", ".github/workflows/release.yml"} {
		var w workflow
		if err := yaml.Unmarshal([]byte(read(t, file)), &w); err != nil {
			t.Fatal(err)
		}
		if len(w.Jobs) == 0 {
			t.Errorf("%s: no jobs", file)
		}
		for name, job := range w.Jobs {
			if env := fmt.Sprint(w.Env, job.Env); strings.Contains(env, "token") || strings.Contains(env, "secrets") {
				t.Errorf("%s: %s: the job has the token: %s", file, name, env)
			}
			for _, step := range job.Steps {
				if strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false {
					t.Errorf("%s: %s: checkout keeps the token", file, name)
				}
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s: %s: an expression in a script: %s", file, name, step.Run)
				}
			}
		}
	}
}
