package site

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// SelectionError is the error of a page to which no rule can be added.
type SelectionError struct{ text string }

func (e *SelectionError) Error() string { return e.text }

// addPages adds a rule to the file for each page in Request.Add, and returns the patterns.
func addPages(req Request, pages []pageRow) (added []string, err error) {
	var lines []config.NewRule
	var wanted []pageRow
	for _, id := range req.Add {
		i := slices.IndexFunc(pages, func(p pageRow) bool { return p.ID == id })
		if i < 0 {
			return nil, &SelectionError{fmt.Sprintf("HubSpot has no page with the ID %q", setting.Shorten(id))}
		}
		p := pages[i]
		switch {
		case p.Decision == "elsewhere":
			return nil, &SelectionError{fmt.Sprintf("page %s is not on a public host of the gateway", id)}
		case p.protected():
			req.Report(fmt.Sprintf("page %s (%s) already needs a login", id, p.Address))
			continue
		}
		wanted = append(wanted, p)
		pattern := "/" // the home page alone: below it is the whole site
		if page := patternOf(p.Address); page != "" {
			pattern = page + "/**"
		}
		if slices.Contains(added, pattern) {
			continue // another variant of the same page
		}
		lines = append(lines, config.NewRule{Pattern: pattern, Comment: p.Name})
		added = append(added, pattern)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	protects := func(cfg *config.Config, ruleSet *rules.Set) error { return protectsAll(cfg, ruleSet, wanted) }
	return added, config.AddRules(req.Path, req.Getenv, config.RuleEdit{Add: lines, Verify: protects})
}

// protectsAll returns an error if one of the pages does not need a login, because a more specific rule opens it.
func protectsAll(cfg *config.Config, ruleSet *rules.Set, pages []pageRow) error {
	for _, p := range pages {
		if now := newPageRow(cfg, ruleSet, p.Page); !now.protected() {
			return fmt.Errorf("page %s (%s) would stay %s by rule %q; change that rule by hand", p.ID, p.Address,
				now.Decision, now.Rule.Name)
		}
	}
	return nil
}

// patternOf returns the pattern that matches only a page: its path, encoded where a pattern would be decoded or cut.
func patternOf(address string) string {
	path := pathOf(address)
	if decoded, err := url.PathUnescape(path); err == nil && decoded == path && !strings.ContainsAny(path, "?#;") {
		return path
	}
	return (&url.URL{Path: path}).EscapedPath()
}
