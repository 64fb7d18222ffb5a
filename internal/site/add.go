package site

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/config/edit"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// SelectionError is the error of a page to which no rule can be added.
type SelectionError struct{ text string }

func (e *SelectionError) Error() string { return e.text }

// addPages adds a rule to the file for each page in Request.Add, and returns the patterns.
func addPages(req Request, cfg *config.Config, found Result) (added []string, err error) {
	wanted, err := selectPages(req, found)
	if err != nil {
		return nil, err
	}
	var lines []edit.NewRule
	for _, p := range wanted {
		rule := edit.NewRule{Pattern: "/", Comment: p.Name} // the home page alone: below it is the whole site
		if page := patternOf(p.Address); page != "" {
			rule.Pattern = page + "/**"
		}
		if len(cfg.Server.Sites()) > 1 {
			rule.Host = hostOf(p.Address)
		}
		known := func(l edit.NewRule) bool { return l.Pattern == rule.Pattern && l.Host == rule.Host }
		if slices.ContainsFunc(lines, known) {
			continue // another variant of the same page
		}
		lines = append(lines, rule)
		added = append(added, rule.Pattern)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	protects := func(cfg *config.Config, ruleSet *rules.Set) error { return protectsAll(cfg, ruleSet, wanted) }
	return added, edit.AddRules(req.Path, req.Getenv, edit.Rules{Add: lines, Verify: protects})
}

// selectPages returns the pages in Request.Add that do not need a login yet.
func selectPages(req Request, found Result) (wanted []pageRow, err error) {
	for _, id := range req.Add {
		i := slices.IndexFunc(found.Pages, func(p pageRow) bool { return p.ID == id })
		if i < 0 {
			text := fmt.Sprintf("HubSpot has no page with the ID %q", setting.Shorten(id))
			for _, u := range found.NotChecked {
				text += fmt.Sprintf("; the %s could not be read: %s; %s", u.Part, u.Reason, u.Cure)
			}
			return nil, &SelectionError{text}
		}
		switch p := found.Pages[i]; {
		case p.Decision == "elsewhere":
			return nil, &SelectionError{fmt.Sprintf("page %s is not on a public host of the gateway", id)}
		case p.protected():
			req.Report(fmt.Sprintf("page %s (%s) already needs a login", id, p.Address))
		default:
			wanted = append(wanted, p)
		}
	}
	return wanted, nil
}

// hostOf returns the host of an address as rules name it, or "" for a page whose domain HubSpot does not state.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	site, ok := inbound.ParseSite(u.Scheme + "://" + u.Host)
	if !ok {
		return ""
	}
	return site.Host
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
