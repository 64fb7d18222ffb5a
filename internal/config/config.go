package config

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/config/source"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// Config is the YAML file. Each section is the Config of the package that uses it.
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

// Default returns the configuration with the defaults of all sections.
func Default() *Config {
	return &Config{
		Server: DefaultServer(), Proxy: proxy.DefaultConfig(), Auth: auth.DefaultConfig(),
		Session: session.DefaultConfig(), HubSpot: hubspot.DefaultConfig(), Pages: page.DefaultConfig(),
		Log: logging.DefaultConfig(), Tracing: defaultTracing(),
	}
}

// Load reads, expands, decodes and validates a configuration. It finds all problems in one pass. The Config must be
// served only if the report has no errors.
func Load(path string, getenv func(string) string) (*Config, *Report) {
	return load(newReport(path), source.NewExpander(path, getenv))
}

// LoadWithoutSecrets is Load for a machine without the secrets: a variable that is not set, or a file that cannot be
// read, is not a mistake in a secret. Everything else is checked as if it had a valid value. The report names those
// secrets, and has no hash, which would be another one with them. The Config must not be served.
func LoadWithoutSecrets(path string, getenv func(string) string) (*Config, *Report) {
	rep, expand := newReport(path), source.NewExpander(path, getenv)
	rep.noSecrets, expand.NoSecrets = true, true
	cfg, rep := load(rep, expand)
	if len(rep.Absent) > 0 {
		rep.SHA256 = ""
	}
	return cfg, rep
}

func load(rep *Report, expand *source.Expander) (*Config, *Report) {
	cfg, path := Default(), rep.Path
	text, bad := readConfig(path, rep)
	if bad != nil {
		rep.addAt(start, "", bad.Text, bad.Cure)
		return cfg, rep
	}
	expand.Hash.Write(text)
	if root := parseYAML(text, rep); root != nil {
		d := &decoder{report: rep, expand: expand}
		d.decode(root, reflect.ValueOf(cfg).Elem(), location{place: start})
		rep.concealer = expand.Concealer
		cfg.resolvePaths(expand)
		cfg.normalizeNone()
		cfg.hashPages(expand)
		cfg.validate(rep)
		d.reportPlaceholders()
	}
	if rep.Unread == nil {
		rep.Unread = expand.Unread
	}
	rep.SHA256, rep.Files = hex.EncodeToString(expand.Hash.Sum(nil)), expand.Files
	rep.Listen = expand.Listen
	rep.sort()
	return cfg, rep
}

// resolvePaths resolves the paths of files, which are relative to the configuration file.
func (c *Config) resolvePaths(e *source.Expander) {
	for _, path := range []*string{
		&c.Server.TLS.CertFile, &c.Server.TLS.KeyFile, &c.Session.Redis.CAFile, &c.Pages.Folder,
	} {
		if *path = e.Resolve(*path); *path != "" {
			e.Files = append(e.Files, *path)
		}
	}
}

// normalizeNone replaces YAML's off, no and false by none in keys that have none as a value.
func (c *Config) normalizeNone() {
	for _, word := range []*string{
		&c.Server.HealthPath, &c.Server.TLS.Mode, &c.Proxy.FilesCache, &c.Auth.ClientAuth, &c.HubSpot.Visitors.Link,
		&c.Log.Email,
	} {
		if setting.IsNone(*word) {
			*word = setting.None
		}
	}
}

// validate adds the problems of every section, then those between sections, then those of the rules as a whole.
func (c *Config) validate(rep *Report) {
	rep.addAll(c.validateVersion())
	for _, section := range []interface{ Validate() []setting.Problem }{
		c.Server, c.Proxy, c.Auth, c.Session, c.HubSpot, c.Pages, c.Log, c.Tracing,
	} {
		rep.addAll(section.Validate())
	}
	rep.addAll(c.crossCheck())
	rep.addAll(c.unusedKeys(rep))
	c.validateRules(rep)
}

// validateRules adds the problems of the rules as a whole. Without a valid public URL it adds only the mistakes of the
// rules themselves, for which any host will do.
func (c *Config) validateRules(rep *Report) {
	env, sites := c.RulesEnv(), c.Server.Sites()
	env.ListsUnclear = rep.namesUnclear(accessSection + ".lists")
	env.PropertiesUnclear = rep.namesUnclear(accessSection + ".properties")
	if len(sites) == 0 {
		env.Hosts = []string{"www.example.com"}
		for _, r := range c.Proxy.Rules {
			env.Hosts = append(env.Hosts, r.Hosts...)
		}
	}
	ruleSet, problems := rules.New(c.Proxy.AccessRules(), env)
	if len(sites) == 0 {
		rep.addAll(slices.DeleteFunc(problems, func(p setting.Problem) bool { return p.Warning }))
		return
	}
	rep.addAll(problems)
	rep.addAll(c.checkHealthPath(ruleSet))
	if rep.unclear("server", "proxy", "auth", accessSection) || len(sites) < len(c.Server.PublicURLs) {
		rep.addAll(rules.CheckTestURLs(c.Proxy.Tests, sites))
		return
	}
	rep.addAll(crossContact(c))
	rep.addAll(c.checkPageAddresses(ruleSet))
	rep.addAll(ruleSet.RunTests(c.Proxy.Tests, sites, time.Now()))
}

func (c *Config) validateVersion() []setting.Problem {
	switch c.Version {
	case 1:
		return nil
	case 0:
		return setting.Mistake("version", "required", "write version: 1")
	}
	return setting.Mistake("version", fmt.Sprintf("unsupported version %d", c.Version), "write version: 1")
}

// LoadRules loads a configuration and its rules. If it has errors, it returns them as an *Error.
func LoadRules(path string, getenv func(string) string) (*Config, *rules.Set, error) {
	cfg, rep := Load(path, getenv)
	if rep.Failed() {
		return nil, nil, &Error{rep}
	}
	return cfg, cfg.Rules(), nil
}

// Rules returns the rules of a configuration without errors.
func (c *Config) Rules() *rules.Set {
	ruleSet, _ := rules.New(c.Proxy.AccessRules(), c.RulesEnv())
	return ruleSet
}

// RulesEnv returns the settings of other sections that the rules need.
func (c *Config) RulesEnv() rules.Env {
	env := rules.Env{AuthPrefix: strings.TrimSuffix(c.Auth.Prefix, "/"), ClockSkew: c.Auth.ClockSkew.D()}
	for _, site := range c.Server.Sites() {
		env.Hosts = append(env.Hosts, site.Host)
	}
	if c.Server.HealthPath != setting.None {
		env.HealthPath = c.Server.HealthPath
	}
	env.Properties, env.Lists = c.HubSpot.Access.Properties, map[string]string{}
	for name, id := range c.HubSpot.Access.Lists {
		env.Lists[name] = string(id)
	}
	return env
}

// Returns returns the URLs to register at the provider, for each public URL.
func (c *Config) Returns() []openid.ReturnURLs {
	var all []openid.ReturnURLs
	for _, site := range c.Server.Sites() {
		base := site.Origin() + c.Auth.Prefix
		all = append(all, openid.ReturnURLs{Callback: base + "/callback", SignedOut: base + "/signed_out"})
	}
	return all
}
