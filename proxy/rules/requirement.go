package rules

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// requirement is what one key of a rule asks of a request.
type requirement interface {
	// unmet returns what to answer to a request that does not meet it, and a Decision without a Kind to one that does.
	unmet(request) Decision
	// weakerThan reports whether it admits a request that other, a requirement of the same key, does not.
	weakerThan(other requirement) bool
	// String returns it as explain and diff print it.
	String() string
}

// request is what requirements judge. The session is nil for a visitor who is not logged in.
type request struct {
	method  string
	session *session.Session
	now     time.Time
	skew    time.Duration // how far the provider's clock may be off
}

// The reasons of requirements that are not met.
const (
	ReasonAuthAge  = "max_auth_age"  // the login is older than the rule allows
	ReasonStillOld = "login_too_old" // the provider was asked again, and answered from an old login
	ReasonGroups   = "groups"
	ReasonClaims   = "claims"
	ReasonMethod   = "method"
)

// The reasons of requirements that rest on what HubSpot says about the visitor's contact.
const (
	ReasonLists      = "lists"
	ReasonProperties = "properties"
	ReasonUnverified = "email_unverified" // HubSpot knows people by their address, and this one may be another person's
	ReasonUnknown    = "crm_unknown"
)

// Key describes a key of a rule for the JSON Schema and for config.example.yaml.
type Key struct {
	Name     string
	Text     string // what it does, in one sentence without capital letter and full stop; code in `backquotes`
	More     string // further sentences, for editors
	Required bool
	NotEmpty bool     // an empty list or mapping is an error
	Words    []string // the valid values; nil for any
	Usual    string   // what it means to leave the key out, if that needs saying
	Entry    string   // describes an entry of a mapping
	// Examples are valid values, as YAML. The path of the nth rule in config.example.yaml is the nth example.
	Examples []string
}

// keySpec is everything that is known about a key of a rule.
type keySpec struct {
	Key
	validate func(key string, r RuleConfig) []setting.Problem
	// require returns what the key asks of a request, nil if the rule does not have the key. A key without it does not
	// decide whom a rule admits.
	require func(RuleConfig, Env) requirement
	// anonymous requirements apply to visitors who are not logged in as well.
	anonymous bool
	reasons   map[string]string // the Decision.Reason of unmet, in words
}

// ruleKeys are the keys of a rule. Decisions, comparisons, texts, validation and the JSON Schema range over them.
var ruleKeys = []keySpec{
	{
		Key: Key{
			Name: "path", Required: true, NotEmpty: true, Examples: []string{"/members/**", "/partners/**", "/board/**"},
			Text: "pattern or list; `**` matches any segments, `*` any characters in one",
			More: "Trailing slashes, letter case and the Unicode form do not matter. A pattern is not a regular expression.",
		},
		validate: validatePath,
	},
	{
		Key: Key{
			Name: "access", Text: "whether the pages need a login", Words: []string{"login", "public"}, Usual: "login",
			Examples: []string{"login"},
		},
		validate: validateAccess,
	},
	{
		Key:      Key{Name: "name", Text: "name in logs and metrics", Usual: "the pattern", Examples: []string{"board"}},
		validate: validateName,
	},
	{
		Key: Key{
			Name: "hosts", NotEmpty: true, Text: "public hosts that the rule is for", Usual: "all public hosts",
			Examples: []string{"[www.example.com]"},
		},
		validate: validateHosts,
	},
	{
		Key: Key{
			Name: "groups", NotEmpty: true, Text: "admits members of at least one of these groups; implies a login",
			Examples: []string{"[partner]"},
		},
		validate: validateGroups, require: requireGroups,
		reasons: map[string]string{ReasonGroups: "the user is in none of the rule's groups"},
	},
	{
		Key: Key{
			Name: "claims", NotEmpty: true, Text: "required in addition: one of the values of each claim",
			More:     "Claims with the name `hubspot.PROPERTY` are properties of the contact, which `hubspot.access` lists.",
			Entry:    "values of this claim, or property of the contact, that are admitted",
			Examples: []string{`{"custom:tier": [gold, platinum]}`, `{"hubspot.member_tier": [gold]}`},
		},
		validate: validateClaims, require: requireClaims,
		reasons: map[string]string{
			ReasonClaims:     "a claim has none of the rule's values",
			ReasonProperties: "a property of the contact has none of the rule's values",
		},
	},
	{
		Key: Key{
			Name: "lists", NotEmpty: true, Examples: []string{"[customers]"},
			Text: "required in addition: at least one of these lists of `hubspot.access`",
			More: "The visitor must have a verified e-mail address.",
		},
		validate: validateLists, require: requireLists,
		reasons: map[string]string{ReasonLists: "the contact is in none of the rule's lists"},
	},
	{
		Key: Key{
			Name: "max_auth_age", Text: "visitors must log in again after this time",
			More: "A login that the provider remembers does not count.", Examples: []string{"1h"},
		},
		require: requireMaxAuthAge,
		reasons: map[string]string{
			ReasonAuthAge:  "the login is older than max_auth_age",
			ReasonStillOld: "the provider answered from an old login",
		},
	},
	{
		Key: Key{
			Name: "methods", NotEmpty: true, Words: knownMethods, Examples: []string{"[GET, HEAD]"},
			Text: "other methods get a 405", More: "Methods never select a rule.",
		},
		validate: validateMethods, require: requireMethods, anonymous: true,
		reasons: map[string]string{ReasonMethod: "the rule does not take this method"},
	},
}

// Keys returns the keys of a rule.
func Keys() []Key {
	keys := make([]Key, len(ruleKeys))
	for i, k := range ruleKeys {
		keys[i] = k.Key
	}
	return keys
}

// anyGroup admits members of at least one of the groups.
type anyGroup []string

func requireGroups(r RuleConfig, _ Env) requirement {
	if len(r.Groups) == 0 {
		return nil
	}
	return anyGroup(r.Groups)
}

func (g anyGroup) unmet(q request) Decision {
	if q.session.HasGroup(g...) {
		return Decision{}
	}
	return forbidden(ReasonGroups)
}

func (g anyGroup) weakerThan(other requirement) bool { return !subset(g, other.(anyGroup)) }

func (g anyGroup) String() string { return "groups " + strings.Join(g, "|") }

// maxAuthAge admits users who logged in at most this long ago.
type maxAuthAge time.Duration

func requireMaxAuthAge(r RuleConfig, _ Env) requirement {
	if r.MaxAuthAge <= 0 {
		return nil
	}
	return maxAuthAge(r.MaxAuthAge)
}

// unmet wants a login that the gateway requested with prompt=login, that finished within the time by the gateway's
// clock, and whose auth_time is not before the request. A login that the provider remembered does not count.
func (age maxAuthAge) unmet(q request) Decision {
	s := q.session
	prompted, recent := !s.PromptedAt.IsZero(), q.now.Sub(s.CreatedAt) <= time.Duration(age)
	authenticated := !s.AuthTime.IsZero() && !s.AuthTime.Before(s.PromptedAt.Add(-q.skew).Truncate(time.Second))
	switch {
	case prompted && recent && authenticated:
		return Decision{}
	case prompted && recent: // the provider was asked just now; asking again would be a loop
		return forbidden(ReasonStillOld)
	}
	return Decision{Kind: Login, Reason: ReasonAuthAge, Status: http.StatusFound, MaxAge: time.Duration(age)}
}

func (age maxAuthAge) weakerThan(other requirement) bool { return age > other.(maxAuthAge) }

func (age maxAuthAge) String() string { return "max_auth_age " + setting.Duration(age).String() }

// oneMethod admits requests with one of the methods.
type oneMethod []string

func requireMethods(r RuleConfig, _ Env) requirement {
	if r.Methods == nil {
		return nil
	}
	return oneMethod(r.Methods)
}

func (m oneMethod) unmet(q request) Decision {
	if slices.Contains(m, q.method) {
		return Decision{}
	}
	return Decision{
		Kind: Refuse, Reason: ReasonMethod, Status: http.StatusMethodNotAllowed, Allow: strings.Join(m, ", "),
	}
}

func (m oneMethod) weakerThan(other requirement) bool { return !subset(m, other.(oneMethod)) }

func (m oneMethod) String() string { return "methods " + strings.Join(m, "|") }

// subset reports whether all of the words are among others.
func subset(words, others []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(others, w) })
}
