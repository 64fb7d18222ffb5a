package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hubgate/hubgate"

// floors is the floor plan of CONTRIBUTING.md: a package imports only packages of lower floors, and those of the same
// floor that sideways lists.
var floors = map[string]int{
	"cmd/hubgate": 5, "bench": 5, "deploy/image": 5, "deploy/licenses": 5,
	"internal/cli": 4, "internal/cli/contacts": 4, "internal/command": 4,
	"internal/gateway": 3, "internal/admin": 3, "internal/doctor": 3, "internal/demo": 3, "internal/middleware": 3,
	"internal/site": 3, "internal/config": 3, "internal/config/source": 3, "internal/config/edit": 3,
	"internal/starter": 3, "internal/schema": 3,
	"proxy": 2, "proxy/rules": 2, "proxy/pattern": 2, "proxy/urlpath": 2, "proxy/stricthttp": 2,
	"auth": 2, "auth/openid": 2, "hubspot": 2, "hubspot/crm": 2, "hubspot/outbox": 2,
	"hubspot/mapping": 2, "hubspot/backfill": 2, "hubspot/access": 2, "hubspot/ratelimit": 2,
	"session": 1, "internal/certs": 1,
	"internal/inbound": 0, "internal/page": 0, "internal/seal": 0, "internal/setting": 0, "internal/dependency": 0,
	"internal/origin": 0, "internal/redisclient": 0, "internal/connlimit": 0, "internal/logging": 0,
	"internal/clockskew": 0, "internal/buildinfo": 0, "internal/trace": 0, "internal/lease": 0,
	"internal/redisserver": 0, "internal/redisread": 0, "internal/broadcast": 0, "internal/fields": 0,
	"internal/background": cellar,
	"proxy/fakesite":      beside, "auth/fakecognito": beside, "hubspot/fakehubspot": beside,
	"internal/faultproxy": beside, "internal/realredis": beside, "internal/configtest": beside, "e2e": beside,
	"internal/testservice": beside, "internal/chromium": beside,
}

const (
	beside = -1 // fakes and test helpers: only the demo, the bench and tests import them
	cellar = -2 // what every floor may import
)

// sideways are the imports within a floor.
var sideways = map[string][]string{
	"auth": {"auth/openid"},

	"internal/cli":          {"internal/cli/contacts", "internal/command"},
	"internal/cli/contacts": {"internal/command"},

	"internal/gateway":     {"internal/admin", "internal/config", "internal/config/source", "internal/middleware"},
	"internal/demo":        {"internal/gateway"},
	"internal/admin":       {"internal/middleware"},
	"internal/doctor":      {"internal/config"},
	"internal/site":        {"internal/config", "internal/config/edit"},
	"internal/config":      {"internal/config/source"},
	"internal/config/edit": {"internal/config"},
	"internal/starter":     {"internal/config"},
	"internal/schema":      {"internal/config"},
	"proxy":                {"proxy/rules", "proxy/urlpath"},
	"proxy/rules":          {"proxy/pattern", "proxy/urlpath"},
	"proxy/pattern":        {"proxy/urlpath"},

	"hubspot":          {"hubspot/access", "hubspot/crm", "hubspot/mapping", "hubspot/outbox", "hubspot/ratelimit"},
	"hubspot/access":   {"hubspot/crm", "hubspot/ratelimit"},
	"hubspot/mapping":  {"hubspot/backfill", "hubspot/crm", "hubspot/outbox"},
	"hubspot/outbox":   {"hubspot/crm"},
	"hubspot/backfill": {"hubspot/crm"},

	"internal/page":        {"internal/inbound", "internal/setting"},
	"internal/logging":     {"internal/inbound", "internal/seal", "internal/setting", "internal/trace"},
	"internal/redisclient": {"internal/dependency", "internal/setting", "internal/trace"},
	"internal/connlimit":   {"internal/inbound"},
	"internal/clockskew":   {"internal/setting"},
	"internal/redisserver": {"internal/setting"},

	"internal/chromium":  {"internal/testservice"},
	"internal/realredis": {"internal/testservice"},
	"internal/trace":     {"internal/dependency", "internal/setting"},
}

func TestImportsPointDownOnly(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		from := strings.TrimPrefix(fields[0], module+"/")
		if _, known := floors[from]; !known {
			t.Errorf("%s is on no floor: give it one here and in CONTRIBUTING.md", from)
			continue
		}
		for _, imported := range fields[1:] {
			if to, ours := strings.CutPrefix(imported, module+"/"); ours && !mayImport(from, to) {
				t.Errorf("%s imports %s: imports point down only", from, to)
			}
		}
	}
}

// maxLines is the number of lines that a package may have without its tests. A larger one is hard to know as a whole.
const maxLines = 3000

func TestPackagesAreSmall(t *testing.T) {
	t.Parallel()
	const files = `{{$dir := .Dir}}{{.ImportPath}}{{range .GoFiles}} {{$dir}}/{{.}}{{end}}`
	out, err := exec.Command("go", "list", "-f", files, module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields, lines := strings.Fields(line), 0
		for _, file := range fields[1:] {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lines += strings.Count(string(text), "\n")
		}
		if lines > maxLines {
			t.Errorf("%s has %d lines without tests, the limit is %d: split it", fields[0], lines, maxLines)
		}
	}
}

func mayImport(from, to string) bool {
	switch {
	case floors[to] == cellar:
		return floors[from] > cellar
	case slices.Contains(sideways[from], to):
		return true
	case floors[from] < 0:
		return false
	case floors[to] == beside:
		return from == "internal/demo" || from == "bench"
	}
	return floors[to] < floors[from]
}
