package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
)

// Config is the part of the section proxy that decides who may see which page.
type Config struct {
	Default string // public | login
	Rules   []RuleConfig
	HubSpot HubSpotConfig
	Tests   []TestConfig
}

// RuleConfig is one entry of proxy.rules. Nil lists were not given; an empty list that was given is an error.
type RuleConfig struct {
	Path       setting.Words            `yaml:"path" json:"path"`     // one pattern or a list
	Access     string                   `yaml:"access" json:"access"` // login (default) | public
	Name       string                   `yaml:"name" json:"name"`
	Hosts      []string                 `yaml:"hosts" json:"hosts"`
	Groups     []string                 `yaml:"groups" json:"groups"`
	Claims     map[string]setting.Words `yaml:"claims" json:"claims"`
	Lists      []string                 `yaml:"lists" json:"lists"`               // names of hubspot.access.lists
	MaxAuthAge setting.Duration         `yaml:"max_auth_age" json:"max_auth_age"` // 0 = not given
	Methods    []string                 `yaml:"methods" json:"methods"`
	// Line is the line of the rule in the file, for messages and explain.
	Line int `yaml:"-" json:"-"`
}

// HubSpotConfig says what HubSpot's own features ask for: public | login | login_if_protected | refuse.
type HubSpotConfig struct {
	Previews      string   `yaml:"previews" json:"previews"`
	PreviewGroups []string `yaml:"preview_groups" json:"preview_groups"`
	Debug         string   `yaml:"debug" json:"debug"`
	Diagnostics   string   `yaml:"diagnostics" json:"diagnostics"`
	Search        string   `yaml:"search" json:"search"`
	SearchPage    string   `yaml:"search_page" json:"search_page"`
}

// TestConfig is one entry of proxy.tests: a URL, a visitor, and the decision that is expected.
type TestConfig struct {
	URL    string  `yaml:"url" json:"url"`
	As     *TestAs `yaml:"as" json:"as"` // nil: nobody is logged in
	Expect string  `yaml:"expect" json:"expect"`
}

// TestAs is the user of a test.
type TestAs struct {
	Groups     []string                 `yaml:"groups" json:"groups"`
	Claims     map[string]setting.Words `yaml:"claims" json:"claims"`
	Lists      []string                 `yaml:"lists" json:"lists"`           // of those in hubspot.access
	Properties map[string]setting.Words `yaml:"properties" json:"properties"` // likewise
}

// DefaultHubSpot is the section proxy.hubspot of a file that does not have it.
func DefaultHubSpot() HubSpotConfig {
	return HubSpotConfig{
		Previews: "login", Debug: "refuse", Diagnostics: "refuse",
		Search: "login_if_protected", SearchPage: "/hs-search-results",
	}
}

// Validate checks each rule on its own; New checks the patterns and the rules as a whole.
func (c Config) Validate() []setting.Problem {
	problems := setting.CheckWord("proxy.default", c.Default, "public", "login")
	problems = append(problems, c.HubSpot.validate()...)
	named := map[string]int{}
	for i, r := range c.Rules {
		problems = append(problems, r.validate(i)...)
		name := r.Name
		if name == "" && len(r.Path) > 0 {
			name = r.Path[0]
		}
		if first, taken := named[name]; taken && r.Name != "" {
			problems = append(problems, setting.Problem{
				Key:  keyOfRule(i) + ".name",
				Text: fmt.Sprintf("%s is the name of the rule in line %d", setting.Quote(name), c.Rules[first].Line),
				Cure: "write a different name for each rule",
			})
		} else if !taken {
			named[name] = i
		}
	}
	for i, t := range c.Tests {
		problems = append(problems, t.validate(keyOfTest(i))...)
	}
	return problems
}

func (c HubSpotConfig) validate() []setting.Problem {
	const section = "proxy.hubspot."
	var problems []setting.Problem
	for _, feature := range []struct{ key, word string }{
		{"previews", c.Previews}, {"debug", c.Debug}, {"diagnostics", c.Diagnostics}, {"search", c.Search},
	} {
		problems = append(problems, setting.CheckWord(section+feature.key, feature.word, FeatureWords()...)...)
	}
	if c.SearchPage != "" {
		if p, bad := pattern.Parse(c.SearchPage); bad != nil || !p.Simple() {
			problems = append(problems, setting.Mistake(section+"search_page", setting.Quote(c.SearchPage)+" is not a path",
				"write the path of the results page, such as /hs-search-results")...)
		}
	}
	for i, g := range c.PreviewGroups {
		if strings.TrimSpace(g) != g || g == "" {
			problems = append(problems, setting.Mistake(section+"preview_groups["+strconv.Itoa(i)+"]",
				setting.Quote(g)+" is empty or has spaces around it", "remove the spaces or the entry")...)
		}
	}
	if len(c.PreviewGroups) > 0 && c.Previews != "login" && slices.Contains(FeatureWords(), c.Previews) {
		problems = append(problems, setting.Mistake(section+"preview_groups", "has no effect with previews: "+c.Previews,
			"set previews: login, or remove preview_groups")...)
	}
	return problems
}

// FeatureWords returns the values of the keys of HubSpot's features.
func FeatureWords() []string { return []string{"public", "login", "login_if_protected", "refuse"} }
