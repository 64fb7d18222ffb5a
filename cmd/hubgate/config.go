package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy"
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
	Log     LogConfig      `yaml:"log" json:"log"`
	Tracing TracingConfig  `yaml:"tracing" json:"tracing"`
}

func defaultConfig() *Config {
	return &Config{
		Server: defaultServer(), Proxy: proxy.DefaultConfig(), Auth: auth.DefaultConfig(), Session: session.DefaultConfig(),
		HubSpot: hubspot.DefaultConfig(), Pages: page.DefaultConfig(), Log: defaultLog(), Tracing: defaultTracing(),
	}
}

// maxConfig bounds the file: what is larger is something else.
const maxConfig = 1 << 20

// loadConfig reads and judges a configuration. All problems are found in one pass; the Config is to be served only when the report
// has no errors. It is the only place that meets YAML.
func loadConfig(path string, getenv func(string) string) (*Config, *report) {
	rep := &report{path: path, at: map[string]place{}, secrets: map[string]string{}, shapes: map[string]bool{}}
	cfg := defaultConfig()
	text, err := readBounded(path)
	if err != nil {
		rep.addAt(place{1, 1}, "", err.Error(), "")
		return cfg, rep
	}
	expand := newExpander(path, getenv)
	expand.hash.Write(text)
	if root := parseYAML(text, rep); root != nil {
		d := &decoder{report: rep, expand: expand}
		d.decode(root, reflect.ValueOf(cfg).Elem(), at{place: place{1, 1}})
		cfg.resolve(expand)
		cfg.noticePages(expand)
		cfg.judge(rep)
	}
	rep.sha256, rep.files = hex.EncodeToString(expand.hash.Sum(nil)), expand.files
	rep.sort()
	return cfg, rep
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if len(text) > maxConfig {
		return nil, errors.New("the file is larger than 1 MiB; a configuration is a few KiB, so this is probably another file")
	}
	return text, nil
}

// parseYAML returns the one document's mapping, or nil after reporting why there is none. yaml.v3 panics on some inputs.
func parseYAML(text []byte, rep *report) (root *yaml.Node) {
	defer func() {
		if v := recover(); v != nil {
			root = nil
			rep.addAt(place{1, 1}, "", "the file is no YAML that can be read", "look for unusual keys, anchors and merges")
		}
	}()
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bad := notText(text); bad != nil {
		rep.addAt(*bad, "", "the file is not text in UTF-8", "save it as UTF-8 without control characters")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF) || (err == nil && len(document.Content) == 0):
		rep.addAt(place{1, 1}, "", "the file is empty", "begin with config.example.yaml")
		return nil
	case err != nil:
		reportSyntax(err, text, rep)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		rep.addAt(secondPlace(&second, text), "", "a second document begins", "one file holds one configuration; remove the --- and what follows")
		return nil
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(err, text, rep)
		return nil
	}
	return document.Content[0]
}

// notText finds the first byte that no text file holds.
func notText(text []byte) *place {
	at := place{1, 1}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if (r == utf8.RuneError && size == 1) || (r < ' ' && r != '\n' && r != '\r' && r != '\t') || r == 0x7f {
			return &at
		}
		at.col++
		if r == '\n' {
			at = place{at.line + 1, 1}
		}
		text = text[size:]
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func reportSyntax(err error, text []byte, rep *report) {
	at, message := place{1, 1}, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.line = n
		}
	}
	cure := "check indentation, quotes and colons around here"
	if line, col := firstTab(text); line > 0 {
		at, cure = place{line, col}, "indent with spaces: YAML does not take tabs"
	}
	rep.addAt(at, "", "this is not YAML: "+message, cure)
}

// firstTab finds a tab among the indentation, the usual reason for a message that names something else.
func firstTab(text []byte) (line, col int) {
	for i, l := range strings.Split(string(text), "\n") {
		indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]
		if j := strings.IndexByte(indent, '\t'); j >= 0 && strings.TrimSpace(l) != "" {
			return i + 1, j + 1
		}
	}
	return 0, 0
}

// secondPlace is the line of the second ---.
func secondPlace(document *yaml.Node, text []byte) place {
	begun := false
	for i, l := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(l, "---") && begun {
			return place{i + 1, 1}
		}
		begun = begun || (strings.TrimSpace(l) != "" && !strings.HasPrefix(strings.TrimSpace(l), "#"))
	}
	return place{document.Line, max(1, document.Column)}
}

// resolve makes the paths of files absolute: they are relative to the configuration file.
func (c *Config) resolve(e *expander) {
	for _, path := range []*string{&c.Server.TLS.CertFile, &c.Server.TLS.KeyFile, &c.Session.Redis.CAFile, &c.Pages.Folder} {
		if *path = e.resolve(*path); *path != "" {
			e.files = append(e.files, *path)
		}
	}
}

// judge collects what every section says of itself, then what they say of each other.
func (c *Config) judge(rep *report) {
	if _, given := rep.at["version"]; !given || c.Version != 1 {
		rep.add(setting.Problem{Key: "version", Text: "the version of the file must be 1", Cure: "write version: 1"})
	}
	for _, section := range []interface{ Validate() []setting.Problem }{
		c.Server, c.Proxy, c.Auth, c.Session, c.HubSpot, c.Pages, c.Log, c.Tracing,
	} {
		rep.addAll(section.Validate())
	}
	rep.addAll(c.crossCheck())
	if sites := c.Server.sites(); len(sites) > 0 {
		rules, problems := proxy.NewRules(c.Proxy, c.rulesEnv())
		rep.addAll(problems)
		if !rep.failed() {
			rep.addAll(rules.RunTests(c.Proxy.Tests, sites, time.Now()))
		}
	}
}

func (c *Config) rulesEnv() proxy.RulesEnv {
	env := proxy.RulesEnv{AuthPrefix: strings.TrimSuffix(c.Auth.Prefix, "/"), ClockSkew: c.Auth.ClockSkew.D()}
	for _, site := range c.Server.sites() {
		env.Hosts = append(env.Hosts, site.Host)
	}
	return env
}
