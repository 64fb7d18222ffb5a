package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// How a change is noticed: a file event, SIGHUP, or this poll, which also sees what network file systems do not tell.
const (
	settle = 200 * time.Millisecond // editors and Kubernetes write in several steps
	poll   = 30 * time.Second
)

// watch reloads when the configuration or a file it reads has changed, until ctx ends. The folders are watched, not the files:
// editors replace files, and Kubernetes swaps a symlink beside them.
func (g *gateway) watch(ctx context.Context) error {
	log := component(g.log, "config")
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("no file events on this system; changes are seen by SIGHUP and every 30 s", "error", err)
		watcher = &fsnotify.Watcher{}
	} else {
		defer watcher.Close()
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	g.watchFolders(watcher)
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			settled = time.After(settle)
		case <-watcher.Errors:
			settled = time.After(settle)
		case <-settled:
			settled = nil
			g.reload(false)
			g.watchFolders(watcher)
		case <-ticker.C:
			g.reload(false)
		case <-hup:
			g.reload(true)
			g.watchFolders(watcher)
		}
	}
}

func (g *gateway) watchFolders(w *fsnotify.Watcher) {
	for _, file := range append([]string{g.path}, g.current.Load().report.files...) {
		_ = w.Add(filepath.Dir(file)) // a folder that cannot be watched is seen by the poll
	}
}

// reload makes the newest configuration the one that is served, or keeps the last good one and says why. It is called by watch
// alone, so reloads never overlap and the newest file wins. Unless asked to, it does nothing when nothing changed.
func (g *gateway) reload(asked bool) {
	log := component(g.log, "config")
	g.service.reloading()
	defer g.service.ready()
	g.certs.reload(g)
	cfg, rep := loadConfig(g.path, g.getenv)
	now := g.current.Load()
	if !asked && rep.sha256 == g.lastSeen {
		return
	}
	g.lastSeen = rep.sha256
	if rep.failed() {
		g.reject(fmt.Errorf("%d mistakes in %s", rep.errors(), g.path))
		for _, line := range rep.lines() {
			log.Error("configuration refused", "problem", line)
		}
		return
	}
	if rep.sha256 == now.hash {
		g.configMetrics.success.Set(1)
		g.rejected.Store(nil)
		log.Info("configuration unchanged", "sha256", now.hash)
		return
	}
	for _, line := range rep.lines() {
		log.Warn("configuration", "problem", line)
	}
	if keys := restartOnly(now.cfg, cfg); len(keys) > 0 {
		log.Warn("these changes need a restart and are not in effect", "keys", strings.Join(keys, " "))
		pin(now.cfg, cfg)
	}
	if err := g.keepKeysInUse(cfg); err != nil {
		g.reject(err)
		return
	}
	if err := g.ring.Set(revealed(cfg.Session.Keys)...); err != nil {
		g.reject(err)
		return
	}
	next, err := g.newGeneration(cfg, rep)
	if err != nil {
		g.reject(err)
		return
	}
	changes := diffProtection(now.gate.Rules(), next.gate.Rules(), next.cfg.rulesEnv().Hosts)
	g.swap(next)
	log.Info("configuration reloaded", "sha256", next.hash, "rules", len(cfg.Proxy.Rules), "protection", changes.summary())
}

// reject keeps the last good configuration and shows everywhere that a newer one was refused.
func (g *gateway) reject(err error) {
	component(g.log, "config").Error("configuration not reloaded; the last good one goes on", "error", err)
	g.configMetrics.success.Set(0)
	c := newCheck(false, "the newest configuration was refused: "+err.Error(), time.Now())
	g.rejected.Store(&c)
}

// restartOnly names what changed but cannot change in a running process.
func restartOnly(was, is *Config) []string {
	var keys []string
	for key, changed := range map[string]bool{
		"server.listen":          was.Server.Listen != is.Server.Listen,
		"server.admin_listen":    was.Server.AdminListen != is.Server.AdminListen,
		"server.tls.http_listen": was.Server.TLS.HTTPListen != is.Server.TLS.HTTPListen,
		"server.tls.mode":        was.Server.TLS.Mode != is.Server.TLS.Mode,
		"session.redis":          !reflect.DeepEqual(redisPlace(was.Session.Redis), redisPlace(is.Session.Redis)),
		"session.cookie_name":    was.Session.CookieName != is.Session.CookieName,
		"auth.prefix":            was.Auth.Prefix != is.Auth.Prefix,
		"tracing":                was.Tracing != is.Tracing,
	} {
		if changed {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// pin keeps what cannot change at its running value, so that the parts of a new generation agree with those of the process.
func pin(was, is *Config) {
	is.Server.Listen, is.Server.AdminListen = was.Server.Listen, was.Server.AdminListen
	is.Server.TLS.HTTPListen, is.Server.TLS.Mode = was.Server.TLS.HTTPListen, was.Server.TLS.Mode
	credentials := is.Session.Redis
	is.Session.Redis = was.Session.Redis
	is.Session.Redis.Username, is.Session.Redis.Password = credentials.Username, credentials.Password
	is.Session.Redis.SentinelPassword = credentials.SentinelPassword
	is.Session.CookieName, is.Auth.Prefix, is.Tracing = was.Session.CookieName, was.Auth.Prefix, was.Tracing
}

// redisPlace is a Redis without its credentials, which may change at any time.
func redisPlace(c session.RedisConfig) session.RedisConfig {
	c.Username, c.Password, c.SentinelPassword = "", "", ""
	return c
}

// keepKeysInUse refuses a configuration that drops a key under which sessions live: they would all be logged out.
func (g *gateway) keepKeysInUse(cfg *Config) error {
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
