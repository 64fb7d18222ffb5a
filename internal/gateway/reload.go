package gateway

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// reloader loads the configuration again and makes it the current one, or keeps the last good one. Only watch calls
// reload, so that reloads never overlap.
type reloader struct {
	gateway    *gateway
	path       string // of the configuration file
	getenv     func(string) string
	log, audit *slog.Logger
	hup        <-chan os.Signal

	last     atomic.Pointer[loadResult]
	unread   atomic.Pointer[unread] // nil if the configuration can be read
	lastGood *loadResult
	lastSeen string // version of the last configuration that was loaded; "" to load it again
}

// loadResult is the result of loading a configuration, for /config.
type loadResult struct {
	At            time.Time     `json:"at"`
	OK            bool          `json:"ok"` // false: it was refused
	SHA256        string        `json:"sha256"`
	Error         string        `json:"error,omitempty"`
	Problems      []string      `json:"problems,omitempty"`
	Protection    rules.Changes `json:"protection,omitempty"` // which paths changed
	RestartNeeded []string      `json:"restart_needed,omitempty"`
}

// unread is why the configuration cannot be read: a fault of this machine, not of the file.
type unread struct {
	at   time.Time
	text string
}

func newReloader(g *gateway, sc ServeConfig) *reloader {
	return &reloader{
		gateway: g, path: sc.Path, getenv: sc.Getenv,
		log: logging.Component(g.log, "config"), audit: logging.AuditLog(g.log),
	}
}

// started records the first generation.
func (r *reloader) started(first *generation) {
	r.lastSeen = first.report.Version()
	r.accept(&loadResult{At: first.loadedAt, OK: true, SHA256: first.hash, Problems: first.report.Lines()})
}

// reload loads the newest configuration. Unless forced, it does nothing if nothing changed.
func (r *reloader) reload(forced bool) {
	err := r.load(forced)
	if cure, local := source.LocalFault(err); local {
		r.setUnread(err, cure)
		return
	}
	if r.unread.Swap(nil) != nil {
		r.log.Info("the configuration can be read again")
	}
}

// load does the work of reload. It returns an error only for a fault of this machine.
func (r *reloader) load(forced bool) error {
	cfg, rep := config.Load(r.path, r.getenv)
	if _, local := source.LocalFault(rep.Unread); local {
		return rep.Unread
	}
	current := r.gateway.current.Load()
	r.gateway.certs.reload(current.cfg.Server)
	if !forced && rep.Version() == r.lastSeen {
		return nil
	}
	r.gateway.service.reloading()
	defer r.gateway.service.ready()
	r.lastSeen = rep.Version()
	result := &loadResult{At: time.Now(), SHA256: rep.SHA256, Problems: rep.Lines()}
	switch {
	case rep.Failed():
		r.reject(result, fmt.Errorf("%s in %s", setting.Count(rep.Errors(), "mistake"), r.path))
		for i, line := range rep.Lines() {
			if rep.Findings[i].Warning {
				r.log.Warn("configuration", "problem", line)
				continue
			}
			r.log.Error("configuration refused", "problem", line)
		}
		return nil
	case rep.Version() == current.report.Version():
		result.OK, result.RestartNeeded = true, r.lastGood.RestartNeeded
		r.accept(result)
		r.log.Info("configuration unchanged", "sha256", current.hash)
		return nil
	}
	result.RestartNeeded = config.Pin(current.cfg, cfg)
	if last := r.last.Load(); forced || last.OK || last.SHA256 != result.SHA256 { // not on a retry
		result.logWarnings(r.log)
	}
	return r.replace(result, cfg, rep)
}

// replace makes a configuration the current one, or rejects it.
func (r *reloader) replace(result *loadResult, cfg *config.Config, rep *config.Report) error {
	next, err := r.gateway.prepare(cfg, rep)
	if err != nil {
		r.lastSeen = "" // retry: the cause may disappear by itself, such as a key in use
		if _, local := source.LocalFault(err); local {
			return err
		}
		r.reject(result, err)
		return nil
	}
	was, is := r.gateway.current.Load().gate.Rules(), next.gate.Rules()
	result.OK, result.Protection = true, rules.Diff(was, is, next.cfg.RulesEnv().Hosts)
	r.gateway.swap(next)
	r.accept(result)
	r.audit.Info("configuration reloaded", "action", "reload", "outcome", "success", "sha256", next.hash,
		"rules", len(cfg.Proxy.Rules), "protection", result.Protection.Summary(),
		"more_open", result.Protection.MoreOpen())
	return nil
}

// logWarnings logs what an operator should know about a configuration that may take effect.
func (l *loadResult) logWarnings(log *slog.Logger) {
	for _, line := range l.Problems {
		log.Warn("configuration", "problem", line)
	}
	if len(l.RestartNeeded) > 0 {
		log.Warn("these changes need a restart and are not in effect", "keys", strings.Join(l.RestartNeeded, " "))
	}
}

// setUnread records that the newest configuration cannot be read; watch tries again. It is logged once.
func (r *reloader) setUnread(err error, cure string) {
	if r.unread.CompareAndSwap(nil, &unread{time.Now(), err.Error()}) {
		r.log.Error("the configuration cannot be read; keeping the last good configuration and trying again",
			"error", err, "cure", cure)
	}
}

// reject records that the newest configuration was refused. The same refusal is logged once.
func (r *reloader) reject(result *loadResult, err error) {
	result.Error = err.Error()
	last := r.last.Swap(result)
	if last.OK || last.SHA256 != result.SHA256 || last.Error != result.Error {
		r.audit.Error("configuration not reloaded; keeping the last good configuration",
			"action", "reload", "outcome", "refused", "error", err)
	}
	r.gateway.metrics.config.success.Set(0)
}

// accept records that the newest configuration is the current one.
func (r *reloader) accept(result *loadResult) {
	r.lastGood = result
	r.last.Store(result)
	r.gateway.metrics.config.setLoaded(result.At)
}

// health reports whether the newest configuration is the current one.
func (r *reloader) health(gen *generation) admin.Check {
	if u := r.unread.Load(); u != nil {
		return admin.NewCheck(false, "the configuration cannot be read, the last good one is served: "+u.text, u.at)
	}
	if last := r.last.Load(); !last.OK {
		return admin.NewCheck(false, "the newest configuration was refused: "+last.Error, last.At)
	}
	return admin.NewCheck(true, "sha256 "+gen.hash, gen.loadedAt)
}
