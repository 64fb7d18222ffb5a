package rules

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
)

// Set is the compiled rules. It never changes.
type Set struct {
	trie      pattern.Trie
	operators pattern.Trie // the configured rules alone
	byRank    []*rule      // the rule of each pattern, in the order of specificity
	rules     []*rule      // the configured rules, in file order
	builtin   []*rule      // the rules for HubSpot's own paths
	fallback  *rule        // proxy.default
	hubspot   HubSpotConfig
	previews  *rule
	debug     *rule
	env       Env
	spaced    pattern.Trie // patterns with "+", as patterns with a space
	files     pattern.Trie // patterns for HubSpot's files, as patterns of the file's name
	prefix    string
	protects  bool // some page needs a login
	// speaksOfFiles means that some rule is about HubSpot's files, protectsFiles that one of those needs a login.
	speaksOfFiles, protectsFiles bool
}

// rule is one compiled rule.
type rule struct {
	index        int // in the file; -1 for built-in rules
	line         int
	name         string
	patterns     []pattern.Pattern
	keys         []string // of the patterns in the file
	access       access
	hosts        []string // nil for all
	requirements requirements
}

type access uint8

const (
	public access = iota
	login
	loginIfProtected
	refuse
)

// Env is what the rules need to know of the rest of the configuration.
type Env struct {
	Hosts      []string      // the public hosts, as inbound.Site.Host
	AuthPrefix string        // the prefix of the gateway's own endpoints, which rules do not reach
	HealthPath string        // what load balancers ask for, which rules do not reach; "" for none
	ClockSkew  time.Duration // how far the provider's clock may be off
	// Lists are the HubSpot ids of the lists that rules may ask for, by the names that rules use.
	Lists map[string]string
	// Properties are the properties of contacts that rules may ask for, as the claim hubspot.NAME.
	Properties []string
	// ListsUnclear and PropertiesUnclear mean that the file has more of them, which cannot be read: a name that is not
	// among them may be right.
	ListsUnclear, PropertiesUnclear bool
}

// New compiles the rules. If a problem is not a Warning, the Set must not be used to serve.
func New(cfg Config, env Env) (*Set, []setting.Problem) {
	rs := &Set{hubspot: cfg.HubSpot, env: env, prefix: strings.ToLower(env.AuthPrefix)}
	rs.fallback = builtin("default", accessOf(cfg.Default))
	rs.builtin = builtinRules(cfg.HubSpot)
	rs.previews = paramRule("hubspot:previews", cfg.HubSpot.Previews, cfg.HubSpot.PreviewGroups)
	rs.debug = paramRule("hubspot:debug", cfg.HubSpot.Debug, nil)
	var problems []setting.Problem
	for i, rc := range cfg.Rules {
		r, bad := compileRule(i, rc, env)
		problems = append(problems, bad...)
		rs.rules = append(rs.rules, r)
	}
	problems = append(problems, cfg.checkContactNames(env)...)
	problems = append(problems, rs.checkConflicts(env)...)
	rs.index()
	if !slices.ContainsFunc(problems, func(p setting.Problem) bool { return !p.Warning }) {
		problems = append(problems, rs.warnLeftOpen(env)...) // an invalid pattern would leave much open
	}
	return rs, problems
}

func accessOf(word string) access {
	switch word {
	case "login":
		return login
	case "login_if_protected":
		return loginIfProtected
	case "refuse":
		return refuse
	}
	return public
}

// compileRule compiles what is valid of a rule, and reports invalid patterns. Config.Validate reports the rest.
func compileRule(i int, rc RuleConfig, env Env) (*rule, []setting.Problem) {
	r := &rule{
		index: i, line: rc.Line, name: rc.Name, access: login, hosts: lowered(rc.Hosts),
		requirements: requirementsOf(rc, env),
	}
	if rc.Access == "public" {
		r.access = public
	}
	var problems []setting.Problem
	for j, text := range rc.Path {
		p, bad := pattern.Parse(text)
		key := pathKey(i, j, len(rc.Path))
		if bad != nil {
			problems = append(problems, setting.Problem{Key: key, Text: bad.Text, Cure: bad.Cure})
			continue
		}
		r.patterns, r.keys = append(r.patterns, p), append(r.keys, key)
	}
	if r.name == "" && len(rc.Path) > 0 {
		r.name = rc.Path[0]
	}
	return r, problems
}

func pathKey(rule, i, patterns int) string {
	if patterns == 1 {
		return keyOfRule(rule) + ".path"
	}
	return keyOfRule(rule) + ".path[" + strconv.Itoa(i) + "]"
}

// ranked is a pattern in the order of specificity.
type ranked struct {
	pattern pattern.Pattern
	rule    *rule
}

// index ranks all patterns and builds the tries.
func (rs *Set) index() {
	rs.protects = rs.fallback.access == login
	for _, r := range rs.rules {
		rs.protects = rs.protects || r.needsLogin()
		if slices.ContainsFunc(r.patterns, pattern.Pattern.InFiles) {
			rs.speaksOfFiles = true
			rs.protectsFiles = rs.protectsFiles || r.needsLogin()
		}
	}
	for rank, at := range rs.ranked() {
		rs.byRank = append(rs.byRank, at.rule)
		hosts := at.rule.hosts
		rs.trie.Add(at.pattern, rank, hosts)
		if narrowed, differs := at.pattern.Narrowed(); differs {
			rs.trie.Add(narrowed, rank, hosts)
		}
		if at.rule.index < 0 {
			continue
		}
		rs.operators.Add(at.pattern, rank, hosts)
		if spaced, differs := at.pattern.Spaced(); differs {
			rs.spaced.Add(spaced, rank, hosts)
		}
		if at.pattern.InFiles() {
			for _, name := range at.pattern.FileNames() {
				rs.files.Add(name, rank, hosts)
			}
		}
	}
}

// ranked returns all patterns, the one that wins over all others first.
func (rs *Set) ranked() []ranked {
	var all []ranked
	for _, r := range slices.Concat(rs.rules, rs.builtin) {
		for _, p := range r.patterns {
			all = append(all, ranked{p, r})
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if c := a.pattern.Compare(b.pattern); c != 0 {
			return c < 0
		}
		if (a.rule.hosts != nil) != (b.rule.hosts != nil) {
			return a.rule.hosts != nil
		}
		return a.rule.index >= 0 && b.rule.index < 0 // a configured rule replaces the built-in one of the same pattern
	})
	return all
}

// hasSpace reports whether a pattern of the rule has a space.
func (r *rule) hasSpace() bool { return slices.ContainsFunc(r.patterns, pattern.Pattern.HasSpace) }

func (r *rule) needsLogin() bool { return r.access == login || r.access == refuse }

func lowered(hosts []string) []string {
	if hosts == nil {
		return nil
	}
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = strings.TrimSuffix(strings.ToLower(h), ".")
	}
	return out
}

// place returns where the rule is, for messages.
func (r *rule) place() string {
	if r.line > 0 {
		return "line " + strconv.Itoa(r.line)
	}
	return "rule " + setting.Quote(r.name)
}
