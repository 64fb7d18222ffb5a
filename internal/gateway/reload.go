package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// attempt is what came of loading a configuration, for /config.
type attempt struct {
	At            time.Time     `json:"at"`
	OK            bool          `json:"ok"` // false: it was refused, and the last good one goes on
	SHA256        string        `json:"sha256"`
	Error         string        `json:"error,omitempty"`
	Problems      []string      `json:"problems,omitempty"`
	Protection    rules.Changes `json:"protection,omitempty"` // which paths changed
	RestartNeeded []string      `json:"restart_needed,omitempty"`
}

// reload makes the newest configuration the one that is served, or keeps the last good one and says why. It is called by watch
// alone. Unless asked to, it does nothing when nothing changed.
func (g *gateway) reload(asked bool) {
	err := g.load(asked)
	if cure, local := config.LocalFault(err); local {
		g.keepUnread(err, cure)
		return
	}
	if g.unread.Swap(nil) != nil {
		logging.Component(g.log, "config").Info("the configuration can be read again")
	}
}

// load does the work of reload. It returns what it has not dealt with: a fault of this machine.
func (g *gateway) load(asked bool) error {
	cfg, rep := config.Load(g.path, g.getenv)
	if _, local := config.LocalFault(rep.Unread); local {
		return rep.Unread
	}
	now := g.current.Load()
	g.certs.reread(now.cfg.Server)
	if !asked && rep.Sha256 == g.lastSeen {
		return nil
	}
	g.service.reloading()
	defer g.service.ready()
	g.lastSeen = rep.Sha256
	log, this := logging.Component(g.log, "config"), &attempt{At: time.Now(), SHA256: rep.Sha256, Problems: rep.Lines()}
	if rep.Failed() {
		g.reject(this, fmt.Errorf("%s in %s", setting.Count(rep.Errors(), "mistake"), g.path))
		for _, line := range rep.Lines() {
			log.Error("configuration refused", "problem", line)
		}
		return nil
	}
	if rep.Sha256 == now.hash {
		this.OK, this.RestartNeeded = true, g.lastGood.RestartNeeded
		g.accept(this)
		log.Info("configuration unchanged", "sha256", now.hash)
		return nil
	}
	this.RestartNeeded = config.Pin(now.cfg, cfg)
	if last := g.last.Load(); asked || last.OK || last.SHA256 != this.SHA256 { // else it is only tried again
		this.warn(log, rep)
	}
	next, err := g.prepare(cfg, rep)
	if err != nil {
		g.lastSeen = "" // what was in the way, a key in use say, goes away by itself
		if _, local := config.LocalFault(err); local {
			return err
		}
		g.reject(this, err)
		return nil
	}
	this.OK, this.Protection = true, rules.Diff(now.gate.Rules(), next.gate.Rules(), next.cfg.RulesEnv().Hosts)
	g.swap(next)
	g.accept(this)
	logging.AuditLog(g.log).Info("configuration reloaded", "action", "reload", "outcome", "success", "sha256", next.hash, "rules", len(cfg.Proxy.Rules),
		"protection", this.Protection.Summary(), "more_open", this.Protection.MoreOpen())
	return nil
}

// warn logs what an operator should know of a configuration that may take effect.
func (a *attempt) warn(log *slog.Logger, rep *config.Report) {
	for _, line := range rep.Lines() {
		log.Warn("configuration", "problem", line)
	}
	if len(a.RestartNeeded) > 0 {
		log.Warn("these changes need a restart and are not in effect", "keys", strings.Join(a.RestartNeeded, " "))
	}
}

// unread is why the configuration cannot be read at present: a fault of this machine, not of the file.
type unread struct {
	at   time.Time
	text string
}

// keepUnread keeps the last good configuration while the newest cannot be read; watch tries again. It is logged once.
func (g *gateway) keepUnread(err error, cure string) {
	if g.unread.CompareAndSwap(nil, &unread{time.Now(), err.Error()}) {
		logging.Component(g.log, "config").Error(
			"the configuration cannot be read at present; keeping the last good one and trying again",
			"error", err, "cure", cure)
	}
}

// prepare builds everything that a configuration needs; only then the keys and the certificates are exchanged, which cannot fail any more.
func (g *gateway) prepare(cfg *config.Config, rep *config.Report) (*generation, error) {
	if err := g.keepKeysInUse(cfg); err != nil {
		return nil, err
	}
	next, err := g.newGeneration(cfg, rep)
	if err != nil {
		return nil, err
	}
	if err := g.certs.use(cfg.Server); err != nil {
		return nil, err
	}
	return next, g.ring.Set(revealed(cfg.Session.Keys)...)
}

// reject keeps the last good configuration and shows everywhere that a newer one was refused. The same refusal is told once.
func (g *gateway) reject(this *attempt, err error) {
	this.Error = err.Error()
	if last := g.last.Swap(this); last.OK || last.SHA256 != this.SHA256 || last.Error != this.Error {
		logging.AuditLog(g.log).Error("configuration not reloaded; the last good one goes on", "action", "reload", "outcome", "refused", "error", err)
	}
	g.configMetrics.success.Set(0)
}

func (g *gateway) accept(this *attempt) {
	g.lastGood = this
	g.last.Store(this)
	g.configMetrics.success.Set(1)
}

// configHealth tells whether the newest configuration is the one that is served.
func (g *gateway) configHealth(gen *generation) admin.Check {
	if u := g.unread.Load(); u != nil {
		return admin.NewCheck(false, "the configuration cannot be read at present, the last good one is served: "+u.text, u.at)
	}
	if last := g.last.Load(); !last.OK {
		return admin.NewCheck(false, "the newest configuration was refused: "+last.Error, last.At)
	}
	return admin.NewCheck(true, "sha256 "+gen.hash, gen.loadedAt)
}

// keepKeysInUse refuses a configuration that drops a key under which sessions live: they would all be logged out.
func (g *gateway) keepKeysInUse(cfg *config.Config) error {
	next := seal.IDsOf(revealed(cfg.Session.Keys)...)
	var dropped []string
	for _, id := range g.ring.IDs() {
		if !slices.Contains(next, id) {
			dropped = append(dropped, id.String())
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	inUse, err := g.sessions.KeysInUse(context.Background())
	if err != nil {
		return fmt.Errorf("session.keys: a key is dropped, and Redis cannot be asked whether sessions need it: %w", err)
	}
	for _, id := range dropped {
		if until, used := inUse[id]; used {
			return fmt.Errorf("session.keys: the dropped key %s seals sessions until %s; keep it at the end of the list until then", id, until.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
