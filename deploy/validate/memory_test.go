package validate

import (
	"fmt"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// softMemory returns the container's GOMEMLIMIT, or "" if none is set. The last of several would count.
func softMemory(t *testing.T, c core.Container) (limit string) {
	t.Helper()
	for _, variable := range c.Env {
		if variable.Name != "GOMEMLIMIT" {
			continue
		}
		if limit != "" {
			t.Error("GOMEMLIMIT is set twice")
		}
		limit = variable.Value
	}
	return limit
}

// checkSoftMemory tests that Go knows 80% of the container's memory limit, so that the kernel does not kill it while
// there is garbage to collect.
func checkSoftMemory(t *testing.T, c core.Container) {
	t.Helper()
	want := fmt.Sprintf("%dMiB", c.Resources.Limits.Memory().Value()*8/10>>20)
	if got := softMemory(t, c); got != want {
		t.Errorf("GOMEMLIMIT is %q, want %q for a limit of %s", got, want, c.Resources.Limits.Memory())
	}
}

// Kubernetes accepts 512m as a limit of half a byte, with which no container starts.
func TestChartDerivesSoftMemoryFromEveryFormOfLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"512Mi", "1.5Gi", "2G", "512000k", "1e9", `"1000000000"`, "536870912", "1Ti"} {
		in := install(t, minimal(t, "{resources: {limits: {memory: "+limit+"}}}"))
		checkSoftMemory(t, in.deployments[0].Spec.Template.Spec.Containers[0])
	}
	for _, wrong := range []string{"512m", "512MB", "much", `"0"`} {
		_, err := render(loadChart(t), minimal(t, "{resources: {limits: {memory: "+wrong+"}}}"))
		if err == nil || !strings.Contains(err.Error(), "resources.limits.memory: ") {
			t.Errorf("%s: error %v", wrong, err)
		}
	}
}

func TestChartLeavesSoftMemoryToOperators(t *testing.T) {
	t.Parallel()
	for changes, want := range map[string]string{
		"{resources: {limits: null}}":                          "",
		"{resources: null}":                                    "",
		"{extraEnv: [{name: GOMEMLIMIT, value: 300MiB}]}":      "300MiB",
		"{extraEnv: [{name: GOMEMLIMIT_OF_OTHERS, value: x}]}": "409MiB",
	} {
		in := install(t, minimal(t, changes))
		if got := softMemory(t, in.deployments[0].Spec.Template.Spec.Containers[0]); got != want {
			t.Errorf("%s: GOMEMLIMIT is %q, want %q", changes, got, want)
		}
	}
}
