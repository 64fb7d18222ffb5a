package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReloadLogsTheChangedProtectionInOneLine(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.edit("    - path: /members/**\n", "    - path: /board/**\n", "url: /members/a", "url: /board/a")
	r.reloader.reload(false)
	lines := r.log.with("configuration reloaded")
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	want := "localhost:8080/members/**: login -> public (more open); localhost:8080/board/**: public -> login"
	if got := lines[0]["protection"]; got != want || lines[0]["more_open"] != 1.0 {
		t.Errorf("protection %q, more_open %v", got, lines[0]["more_open"])
	}
	served, err := json.Marshal(r.servedConfig())
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		SHA256     string `json:"sha256"`
		LastReload struct {
			OK         bool
			SHA256     string `json:"sha256"`
			Protection []struct{ Place, Was, Is string }
		} `json:"last_reload"`
	}
	if err := json.Unmarshal(served, &shown); err != nil {
		t.Fatal(err)
	}
	last := shown.LastReload
	if !last.OK || last.SHA256 != shown.SHA256 || len(last.Protection) != 2 {
		t.Errorf("/config is %+v", shown)
	}
}

func TestRefusedConfigurationIsReportedAndNotServed(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string][2]string{
		"a mistake":        {"default: public", "default: pubic"},
		"a failed test":    {"expect: login", "expect: public"},
		"invalid YAML":     {"version: 1", "version: ["},
		"a missing secret": {"${file:admin_token}", "${file:nowhere}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunning(t)
			before := r.current.Load()
			r.edit(edit[0], edit[1])
			r.reloader.reload(false)
			r.reloader.reload(false) // the same file again is not logged
			if r.current.Load() != before {
				t.Fatal("the refused configuration is served")
			}
			if n := len(r.log.with("configuration not reloaded; keeping the last good configuration")); n != 1 {
				t.Errorf("it is logged %d times", n)
			}
			if got := gaugeOf(t, r.gateway, "hubgate_config_last_reload_success"); got != 0 {
				t.Errorf("the metric is %v", got)
			}
			if h := r.health(); h.Checks["config"].OK || r.reloader.last.Load().OK || len(r.reloader.last.Load().Problems) == 0 {
				t.Errorf("/readyz: %+v, /config: %+v", h.Checks["config"], r.reloader.last.Load())
			}
			r.write("hubgate.yaml", reloadYAML)
			r.reloader.reload(false)
			if got := gaugeOf(t, r.gateway, "hubgate_config_last_reload_success"); got != 1 || !r.reloader.last.Load().OK {
				t.Errorf("after the mistake was fixed: %v", got)
			}
		})
	}
}

func TestRefusedConfigurationLogsItsWarningsAsWarnings(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.edit("${file:admin_token}", "a token in plain text", "default: public", "default: pubic")
	r.reloader.reload(false)
	if n := len(r.log.with("configuration refused")); n != 1 {
		t.Errorf("%d errors", n)
	}
	if n := len(r.log.with("configuration")); n != 3 { // at the start and now, the embedded Redis is one, too
		t.Errorf("%d warnings", n)
	}
}

func gaugeOf(t *testing.T, g *gateway, name string) float64 {
	t.Helper()
	families, err := g.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestReloadNamesChangesThatNeedARestart(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	was := *r.current.Load().cfg
	r.edit("  admin_token: ${file:admin_token}\n", `  admin_token: ${file:admin_token}
  listen: ":8999"
  admin_listen: "127.0.0.1:9999"
  pprof: true
  drain_delay: 17s
  limits: {header_bytes: 16KiB, header_timeout: 3s, idle_timeout: 4s, connections: 5, connections_per_address: 7}
`, "  client_id: client\n", "  client_id: client\n  prefix: /other\n",
		"  redis: {mode: embedded}\n", `  cookie_name: other
  redis: {mode: embedded, key_prefix: "other:"}
log: {format: text, level: debug}
tracing: {endpoint: "http://127.0.0.1:4318"}
`)
	r.reloader.reload(false)
	want := []string{
		"auth.prefix", "log.format", "server.admin_listen", "server.limits.connections", "server.limits.header_bytes",
		"server.limits.header_timeout", "server.limits.idle_timeout", "server.listen", "server.pprof",
		"session.cookie_name", "session.redis", "tracing",
	}
	if d := cmp.Diff(want, r.reloader.last.Load().RestartNeeded); d != "" {
		t.Error(d)
	}
	lines := r.log.with("these changes need a restart and are not in effect")
	if len(lines) != 1 || lines[0]["keys"] != strings.Join(want, " ") {
		t.Errorf("the log is %v", lines)
	}
	is := r.current.Load().cfg
	if is.Auth.Prefix != was.Auth.Prefix || is.Server.Listen != was.Server.Listen ||
		is.Session.Redis.KeyPrefix != was.Session.Redis.KeyPrefix {
		t.Error("a change that needs a restart took effect")
	}
	if is.Server.DrainDelay.String() != "17s" || is.Server.Limits.ConnectionsPerAddress != 7 ||
		r.level.Level().String() != "DEBUG" {
		t.Error("a change did not take effect")
	}
}

func TestReloadNoticesAChangedSecretFile(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.reloader.reload(false)
	if n := len(r.log.with("configuration reloaded")); n != 0 {
		t.Errorf("reloaded %d times without a change", n)
	}
	r.write("admin_token", "second-admin-token\n")
	r.reloader.reload(false)
	if got := r.current.Load().cfg.Server.AdminToken.Reveal(); got != "second-admin-token" {
		t.Errorf("the token is %q", got)
	}
}

func TestReloadReplacesConnectionsOnlyForAnotherOrigin(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	first := r.current.Load().origin
	r.edit("default: public", "default: login", "expect: login", "expect: login}\n    - {url: /x, expect: login")
	r.reloader.reload(false)
	if r.current.Load().origin != first {
		t.Error("the connections were replaced although the origin is the same")
	}
	r.edit("http://127.0.0.1:9", "https://other.example")
	r.reloader.reload(false)
	if r.current.Load().origin == first {
		t.Error("the other origin is requested through connections of the first")
	}
}

func TestWatchNoticesASwappedSymlink(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	mount := t.TempDir() // as Kubernetes mounts a ConfigMap
	publish := func(version, text string) {
		folder := filepath.Join(mount, version)
		next := filepath.Join(mount, "..data_tmp")
		for _, err := range []error{
			os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "hubgate.yaml"), []byte(text), 0o600),
			os.WriteFile(filepath.Join(folder, "admin_token"), []byte("x-admin-token-x"), 0o600),
			os.Symlink(version, next), os.Rename(next, filepath.Join(mount, "..data")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	publish("..1", reloadYAML)
	for _, name := range []string{"hubgate.yaml", "admin_token"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(mount, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.reloader.path = filepath.Join(mount, "hubgate.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() { watched <- r.reloader.watch(ctx) }()
	reloads := func() int { return len(r.log.with("configuration reloaded")) }
	eventually(t, "it watches", func() bool { return reloads() == 1 }) // the secret differs
	publish("..2", strings.Replace(reloadYAML, "/members/**", "/board/**", 1)+"log: {level: info}\n")
	eventually(t, "the failed test is logged", func() bool {
		return len(r.log.with("configuration not reloaded; keeping the last good configuration")) == 1
	})
	publish("..3", strings.NewReplacer("/members/", "/board/").Replace(reloadYAML))
	eventually(t, "the swapped file is served", func() bool { return reloads() == 2 })
	cancel()
	if err := <-watched; err != nil {
		t.Error(err)
	}
}

// footprint is what a process uses.
type footprint struct {
	goroutines, series, watches int
	heap                        uint64
}

func (r *running) footprint(f *folders) footprint {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	families, err := r.metrics.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
	}
	return footprint{runtime.NumGoroutine(), series, len(f.watcher.WatchList()), m.HeapAlloc}
}

// TestReloadsLeakNothing is not parallel, because it counts the goroutines of the process.
func TestReloadsLeakNothing(t *testing.T) {
	r := newRunning(t)
	f := newFolders()
	defer f.close()
	reload := func(n int) {
		for i := range n {
			rules := fmt.Sprintf("    - path: /members/**\n    - {path: /r%d/**, name: rule-%d}\n", i, i)
			secret := t.TempDir() + "/secret"
			if i%100 == 0 { // occasionally a secret in a new folder
				r.write("extra", "x")
				if err := os.WriteFile(secret, []byte("one-more-admin-token"), 0o600); err != nil {
					t.Fatal(err)
				}
				r.edit("    - path: /members/**\n", rules, "${file:admin_token}", "${file:"+secret+"}",
					"127.0.0.1:9", "127.0.0.1:10", "client_id: client", "client_id: other")
			} else {
				r.edit("    - path: /members/**\n", rules)
			}
			r.reloader.reload(i%2 == 0)
			f.watch(r.reloader.files())
		}
	}
	reload(20)
	before := r.footprint(f)
	reload(1000)
	reload(20)
	after := r.footprint(f)
	t.Logf("before %+v, after %+v", before, after)
	if n := len(r.log.with("configuration reloaded")); n < 1030 {
		t.Fatalf("only %d reloads took place", n)
	}
	if after.series != before.series || after.watches != before.watches {
		t.Error("metric series or watches leak")
	}
	if after.goroutines > before.goroutines+5 {
		t.Error("goroutines leak")
	}
	if after.heap > before.heap+8<<20 {
		t.Error("memory leaks")
	}
}
