package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/hubgate/hubgate"

// floors is the floor plan of CONTRIBUTING.md: a package imports only packages of lower floors. Those beside the house (fakes, test
// helpers) import none of ours and are imported by cmd/hubgate and tests only.
var floors = map[string]int{
	"cmd/hubgate": 3, "bench": 3,
	"proxy": 2, "auth": 2, "hubspot": 2,
	"session": 1, "internal/certs": 1, "internal/trace": 1,
	"internal/inbound": 0, "internal/page": 0, "internal/seal": 0, "internal/setting": 0, "internal/dependency": 0, "internal/origin": 0,
	"internal/logging":    0,
	"internal/background": cellar,
	"proxy/fakesite":      beside, "auth/fakecognito": beside, "hubspot/fakehubspot": beside,
	"internal/faultproxy": beside, "internal/realredis": beside, "e2e": beside,
}

// cellar is what every floor may use.
const (
	beside = -1
	cellar = -2
)

func TestImportsPointDownOnly(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(fields[0], module+"/")
		floor, known := floors[from]
		if !known {
			t.Errorf("%s stands on no floor: give it one here and in CONTRIBUTING.md", from)
			continue
		}
		for _, imported := range fields[1:] {
			to, ours := strings.CutPrefix(imported, module+"/")
			if ours && !mayImport(floor, floors[to], from) {
				t.Errorf("%s imports %s: arrows point down only", from, to)
			}
		}
	}
}

// mayImport: floor 0 packages may use each other's facts (page shows a request's id); every other arrow goes down a floor.
func mayImport(from, to int, name string) bool {
	switch {
	case from == beside, from == cellar:
		return false
	case to == cellar:
		return true
	case to == beside:
		return from == 3
	case from == 0:
		return to == 0 && name == "internal/page"
	}
	return to < from
}
