package config

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// Config is the YAML file: the packages' sections under one roof.
type Config struct {
	Version int            `yaml:"version" json:"version"`
	Server  ServerConfig   `yaml:"server" json:"server"`
	Proxy   proxy.Config   `yaml:"proxy" json:"proxy"`
	Auth    auth.Config    `yaml:"auth" json:"auth"`
	Session session.Config `yaml:"session" json:"session"`
	HubSpot hubspot.Config `yaml:"hubspot" json:"hubspot"`
	Pages   page.Config    `yaml:"pages" json:"pages"`
	Log     logging.Config `yaml:"log" json:"log"`
	Tracing TracingConfig  `yaml:"tracing" json:"tracing"`
}

func Default() *Config {
	return &Config{
		Server: DefaultServer(), Proxy: proxy.DefaultConfig(), Auth: auth.DefaultConfig(), Session: session.DefaultConfig(),
		HubSpot: hubspot.DefaultConfig(), Pages: page.DefaultConfig(), Log: logging.DefaultConfig(), Tracing: defaultTracing(),
	}
}

// Load reads and judges a configuration. All problems are found in one pass; the Config is to be served only when the report
// has no errors. It is the only place that meets YAML.
func Load(path string, getenv func(string) string) (*Config, *Report) {
	rep := &Report{Path: path, at: map[string]place{}, Secrets: map[string]string{}, shapes: map[string]bool{}}
	cfg := Default()
	text, bad := readConfig(path, rep)
	if bad != nil {
		rep.addAt(place{1, 1}, "", bad.Text, bad.Cure)
		return cfg, rep
	}
	expand := newExpander(path, getenv)
	expand.hash.Write(text)
	if root := parseYAML(text, rep); root != nil {
		d := &decoder{report: rep, expand: expand}
		d.decode(root, reflect.ValueOf(cfg).Elem(), at{place: place{1, 1}})
		cfg.resolve(expand)
		cfg.sayNone()
		cfg.noticePages(expand)
		cfg.judge(rep)
	}
	if rep.Unread == nil {
		rep.Unread = expand.unread
	}
	rep.Sha256, rep.Files = hex.EncodeToString(expand.hash.Sum(nil)), expand.files
	rep.sort()
	return cfg, rep
}

// resolve makes the paths of files absolute: they are relative to the configuration file.
func (c *Config) resolve(e *expander) {
	for _, path := range []*string{&c.Server.TLS.CertFile, &c.Server.TLS.KeyFile, &c.Session.Redis.CAFile, &c.Pages.Folder} {
		if *path = e.resolve(*path); *path != "" {
			e.files = append(e.files, *path)
		}
	}
}

// sayNone takes YAML's words for no where none is one of the values.
func (c *Config) sayNone() {
	for _, word := range []*string{&c.Server.TLS.Mode, &c.Proxy.FilesCache, &c.Auth.ClientAuth, &c.HubSpot.Visitors.Link, &c.Log.Email} {
		if setting.IsNone(*word) {
			*word = setting.None
		}
	}
}

// judge collects what every section says of itself, then what they say of each other.
func (c *Config) judge(rep *Report) {
	if _, given := rep.at["version"]; !given || c.Version != 1 {
		rep.add(setting.Problem{Key: "version", Text: c.versionText(), Cure: "write version: 1"})
	}
	for _, section := range []interface{ Validate() []setting.Problem }{
		c.Server, c.Proxy, c.Auth, c.Session, c.HubSpot, c.Pages, c.Log, c.Tracing,
	} {
		rep.addAll(section.Validate())
	}
	rep.addAll(c.crossCheck())
	c.judgeIdle(rep)
	if sites := c.Server.Sites(); len(sites) > 0 {
		ruleSet, problems := rules.New(c.Proxy.AccessRules(), c.RulesEnv())
		rep.addAll(problems)
		if !rep.Failed() {
			rep.addAll(ruleSet.RunTests(c.Proxy.Tests, sites, time.Now()))
		}
	}
}

func (c *Config) versionText() string {
	if c.Version == 0 {
		return "required"
	}
	return fmt.Sprintf("unsupported version %d", c.Version)
}

// LoadRules loads a configuration that must be free of errors, with its rules.
func LoadRules(path string, getenv func(string) string) (*Config, *rules.Set, error) {
	cfg, rep := Load(path, getenv)
	if rep.Failed() {
		return nil, nil, &Error{rep}
	}
	ruleSet, _ := rules.New(cfg.Proxy.AccessRules(), cfg.RulesEnv())
	return cfg, ruleSet, nil
}

func (c *Config) RulesEnv() rules.Env {
	env := rules.Env{AuthPrefix: strings.TrimSuffix(c.Auth.Prefix, "/"), ClockSkew: c.Auth.ClockSkew.D()}
	for _, site := range c.Server.Sites() {
		env.Hosts = append(env.Hosts, site.Host)
	}
	return env
}

// Returns are the addresses to register at the provider.
func (c *Config) Returns() []openid.ReturnURLs {
	var all []openid.ReturnURLs
	for _, site := range c.Server.Sites() {
		all = append(all, openid.ReturnURLs{
			Callback: site.Origin() + c.Auth.Prefix + "/callback", SignedOut: site.Origin() + c.Auth.Prefix + "/signed_out",
		})
	}
	return all
}
