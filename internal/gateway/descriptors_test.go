package gateway

import (
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/setting"
)

func TestDescriptorsMissingAreReportedWithACure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		connections int
		plain       string
		limit       uint64
		problem     string
		cure        string
	}{
		"enough": {10_000, "", 20_512, "", ""},
		"one too few": {10_000, "", 20_511, "may need 20512 open files, but this process may open only 20511",
			"or set server.limits.connections to 9999"},
		"with redirects from http": {10_000, ":80", 20_512, "may need 30512 open files",
			"or set server.limits.connections to 6666"},
		"not enough for hubgate itself": {100, "", 256, "may need 712 open files, but this process may open only 256",
			"allow 712 open files"},
		"no limit": {0, "", 256, "", ""},
		"infinity": {10_000, "", 1 << 63, "", ""},
		"the usual limit of a shell": {10_000, "", 1024, "server.limits.connections (10000)",
			"or set server.limits.connections to 256"},
	} {
		var cfg config.ServerConfig
		cfg.Limits.Connections, cfg.TLS.HTTPListen = setting.CountOrNone(c.connections), c.plain
		problem, cure := checkDescriptors(cfg, c.limit)
		if !strings.Contains(problem, c.problem) || !strings.Contains(cure, c.cure) || (problem == "") != (c.problem == "") {
			t.Errorf("%s: %q, %q", name, problem, cure)
		}
	}
}

func TestReloadKeepsTheConfigurationWhileFilesCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	before := r.current.Load()
	for range 3 {
		r.reloader.setUnread(&fs.PathError{Op: "open", Path: r.reloader.path, Err: syscall.EMFILE}, source.OutOfDescriptors)
	}
	if c := r.health().Checks["config"]; c.OK || !strings.Contains(c.Detail, "too many open files") {
		t.Errorf("/readyz: %+v", c)
	}
	if got := gaugeOf(t, r.gateway, "hubgate_config_last_reload_success"); got != 1 || !r.reloader.last.Load().OK {
		t.Errorf("the metric is %v, as if the file were invalid", got)
	}
	r.reloader.reload(false)
	if c := r.health().Checks["config"]; !c.OK || r.current.Load() != before {
		t.Errorf("/readyz: %+v", c)
	}
	lines := r.log.with("the configuration cannot be read; keeping the last good configuration and trying again")
	recovered := r.log.with("the configuration can be read again")
	if len(lines) != 1 || lines[0]["cure"] != source.OutOfDescriptors || len(recovered) != 1 {
		t.Errorf("the log is\n%s", r.log)
	}
}
