package rules

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// Set decide which pages need what. They are compiled once and never change; Match and Decide touch no clock, no storage and no
// request.
type Set struct {
	trie      trie
	operators trie    // without the built-in rules
	rules     []*rule // the operator's, in file order
	builtin   []*rule // HubSpot's
	fallback  *rule   // proxy.default
	hubspot   HubSpotConfig
	previews  *rule
	debug     *rule
	skew      time.Duration
	spaced    trie // patterns with a "+", with a space in its place
	files     trie // what rules say about HubSpot's files, by the file's name
	// protects tells that some page needs a login; speaksOfFiles that some rule reaches into HubSpot's files, and protectsFiles that
	// one of those needs a login.
	protects, speaksOfFiles, protectsFiles bool
	prefix                                 string
}

// rule is one rule, compiled.
type rule struct {
	index        int // in the file; -1 for built-in rules
	line         int
	name         string
	patterns     []pattern
	keys         []string // of the patterns: where they stand in the file
	access       access
	hosts        []string // nil: all
	requirements requirements
}

type access uint8

const (
	public access = iota
	login
	loginIfProtected
	refuse
)

func (r *rule) forHost(host string) bool { return r.hosts == nil || slices.Contains(r.hosts, host) }

// Env is what rules must know of the rest of the configuration.
type Env struct {
	Hosts      []string      // the public hosts, as inbound.Site.Host
	AuthPrefix string        // the gateway's own prefix: no rule can gate it
	ClockSkew  time.Duration // how far the provider's clock may be off
}

// New compiles the rules. Problems without Warning mean that the rules must not be served.
func New(cfg Config, env Env) (*Set, []setting.Problem) {
	rs := &Set{hubspot: cfg.HubSpot, skew: env.ClockSkew, prefix: strings.ToLower(env.AuthPrefix)}
	rs.fallback = builtin("default", accessOf(cfg.Default))
	rs.builtin = builtinRules(cfg.HubSpot)
	rs.previews = paramRule("hubspot:previews", cfg.HubSpot.Previews, cfg.HubSpot.PreviewGroups)
	rs.debug = paramRule("hubspot:debug", cfg.HubSpot.Debug, nil)
	var problems []setting.Problem
	for i, rc := range cfg.Rules {
		r, bad := compileRule(i, rc)
		problems = append(problems, bad...)
		rs.rules = append(rs.rules, r)
	}
	problems = append(problems, rs.checkConflicts(env)...)
	rs.index()
	if !slices.ContainsFunc(problems, func(p setting.Problem) bool { return !p.Warning }) {
		problems = append(problems, rs.warnLeftOpen(env)...) // while a pattern is wrong, much is open that will not be
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

// compileRule takes what is valid of a rule; what is not is reported by Config.Validate, patterns here.
func compileRule(i int, rc RuleConfig) (*rule, []setting.Problem) {
	r := &rule{
		index: i, line: rc.Line, name: rc.Name, access: login, hosts: lowered(rc.Hosts), requirements: requirementsOf(rc),
	}
	if rc.Access == "public" {
		r.access = public
	}
	var problems []setting.Problem
	for j, text := range rc.Path {
		p, bad := parsePattern(text)
		if bad != nil {
			problems = append(problems, setting.Problem{Key: pathKey(i, j, len(rc.Path)), Text: bad.Text, Cure: bad.Cure})
			continue
		}
		r.patterns, r.keys = append(r.patterns, p), append(r.keys, pathKey(i, j, len(rc.Path)))
	}
	if r.name == "" && len(rc.Path) > 0 {
		r.name = rc.Path[0]
	}
	return r, problems
}

func pathKey(rule, pattern, patterns int) string {
	if patterns == 1 {
		return keyOfRule(rule) + ".path"
	}
	return keyOfRule(rule) + ".path[" + strconv.Itoa(pattern) + "]"
}

// index ranks all patterns and builds the trie.
func (rs *Set) index() {
	type ranked struct {
		pattern pattern
		rule    *rule
	}
	var all []ranked
	for _, r := range append(slices.Clone(rs.rules), rs.builtin...) {
		for _, p := range r.patterns {
			all = append(all, ranked{p, r})
			if r.index >= 0 {
				rs.speaksOfFiles = rs.speaksOfFiles || reachesFiles(p)
				rs.protectsFiles = rs.protectsFiles || (reachesFiles(p) && r.needsLogin())
			}
		}
		rs.protects = rs.protects || (r.index >= 0 && r.needsLogin())
	}
	rs.protects = rs.protects || rs.fallback.access == login
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if c := compare(a.pattern, b.pattern); c != 0 {
			return c < 0
		}
		if (a.rule.hosts != nil) != (b.rule.hosts != nil) {
			return a.rule.hosts != nil
		}
		return a.rule.index >= 0 && b.rule.index < 0 // the operator's replaces the built-in one of the same pattern
	})
	for rank, e := range all {
		rs.trie.add(e.pattern, entry{rank: int32(rank), rule: e.rule})
		if narrowed, found := e.pattern.narrowed(); found {
			rs.trie.add(narrowed, entry{rank: int32(rank), rule: e.rule})
		}
		if e.rule.index >= 0 {
			rs.operators.add(e.pattern, entry{rank: int32(rank), rule: e.rule})
			if spaced, found := e.pattern.with(plusAsSpace); found {
				rs.spaced.add(spaced, entry{rank: int32(rank), rule: e.rule})
			}
			if reachesFiles(e.pattern) {
				rs.addFiles(e.pattern, entry{rank: int32(rank), rule: e.rule})
			}
		}
	}
}

// hasSpace reports whether a pattern of the rule has a space: then it speaks about that path, and not about one with
// a "+" in its place.
func (r *rule) hasSpace() bool {
	return slices.ContainsFunc(r.patterns, func(p pattern) bool { return strings.Contains(p.folded(), " ") })
}

func (r *rule) needsLogin() bool { return r.access == login || r.access == refuse }

// Names lists the names of all rules, the operator's first: the values of the rule label.
func (rs *Set) Names() []string {
	var names []string
	for _, r := range append(append(slices.Clone(rs.rules), rs.builtin...), rs.fallback, rs.previews, rs.debug) {
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
	}
	return names
}

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

func (r *rule) place() string {
	if r.line > 0 {
		return "line " + strconv.Itoa(r.line)
	}
	return "rule " + setting.Quote(r.name)
}
