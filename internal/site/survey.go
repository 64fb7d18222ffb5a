package site

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

// pageRow is a page with the decision of the gateway's rules.
type pageRow struct {
	crm.Page
	Address  string     `json:"address"`
	Decision string     `json:"decision"` // without a login; elsewhere = not on a public host of the gateway
	Rule     *rules.Ref `json:"rule"`
	Origin   string     `json:"origin,omitempty"` // if probed: the origin's status without the gateway
}

func (p pageRow) protected() bool { return p.Decision == "login" || p.Decision == "refuse" }

// leak is a way to read a protected page without a login.
type leak struct {
	Page string `json:"page"`
	Kind string `json:"kind"` // translation feed listing search dynamic redirect origin
	Text string `json:"text"`
}

// Result is the result of a survey.
type Result struct {
	Pages       []pageRow      `json:"pages"`
	Decisions   map[string]int `json:"decisions"` // number of pages by decision
	Redirects   []redirectRow  `json:"redirects"` // to protected pages
	Leaks       []leak         `json:"leaks"`
	NotChecked  []unchecked    `json:"not_checked"`
	OriginAsked bool           `json:"origin_asked"`
	Added       []string       `json:"added,omitempty"`
}

// Request describes a survey.
type Request struct {
	Path   string // of the configuration file
	Getenv func(string) string
	Probe  bool         // also request protected pages from the origin
	Add    []string     // IDs of pages to add rules for first
	Report func(string) // receives lines about progress
}

// Survey returns HubSpot's pages, the rule that decides each, and the leaks.
func Survey(ctx context.Context, req Request) (Result, error) {
	cfg, ruleSet, err := config.LoadRules(req.Path, req.Getenv)
	if err != nil {
		return Result{}, err
	}
	account, err := openAccount(cfg)
	if err != nil {
		return Result{}, err
	}
	content, err := readContent(ctx, account, req.Report)
	if err != nil {
		return Result{}, err
	}
	result := Result{
		Pages: pageRows(cfg, ruleSet, content.Pages), NotChecked: uncheckedLists(content.Unread), OriginAsked: req.Probe,
		Decisions: map[string]int{}, Leaks: []leak{},
	}
	if len(req.Add) > 0 {
		if result.Added, err = addPages(req, cfg, result); err != nil {
			return Result{}, err
		}
		if cfg, ruleSet, err = config.LoadRules(req.Path, req.Getenv); err != nil {
			return Result{}, err
		}
		result.Pages = pageRows(cfg, ruleSet, content.Pages) // as they are now
	}
	for _, p := range result.Pages {
		result.Decisions[p.Decision]++
	}
	finder := newLeakFinder(cfg, ruleSet, result.Pages, content.Redirects)
	result.Leaks, result.Redirects = append(result.Leaks, finder.all()...), finder.redirectsToProtected()
	if req.Probe {
		p := newProbe(cfg, req.Report)
		p.run(ctx, result.Pages)
		result.Leaks = append(result.Leaks, p.leaks...)
		result.NotChecked = append(result.NotChecked, uncheckedPages(p.failed)...)
	}
	return result, nil
}

// readContent reads what the account's websites contain.
func readContent(ctx context.Context, account *crm.Account, report func(string)) (crm.Content, error) {
	reported := 0
	content, err := account.Content(ctx, func(read, total int) {
		if read/progressStep > reported/progressStep {
			reported = read
			report(setting.Number(read) + " of " + setting.Count(total, "page"))
		}
	})
	if err != nil && ctx.Err() == nil {
		_, cure := cureOf(err, contentScope)
		return crm.Content{}, fmt.Errorf("%w; %s", err, cure)
	}
	return content, err
}

// progressStep is the number of pages between two lines about progress.
const progressStep = 500

// ErrNoToken means that the configuration has no key for HubSpot's API.
var ErrNoToken = errors.New("hubspot.access_token is required; write a service key")

// openAccount returns the HubSpot account of a configuration. It makes no network calls.
func openAccount(cfg *config.Config) (*crm.Account, error) {
	if cfg.HubSpot.AccessToken == "" {
		return nil, ErrNoToken
	}
	return crm.NewAccount(cfg.HubSpot.CRM(), dependency.NewClient(dependency.ClientConfig{
		Name: dependency.HubSpotAPI, Timeout: 30 * time.Second, MaxBody: 32 << 20,
	}))
}

func pageRows(cfg *config.Config, ruleSet *rules.Set, list []crm.Page) []pageRow {
	rows := make([]pageRow, len(list))
	for i, p := range list {
		rows[i] = newPageRow(cfg, ruleSet, p)
	}
	return rows
}

// newPageRow returns a page with the decision for a visitor who is not logged in.
func newPageRow(cfg *config.Config, ruleSet *rules.Set, p crm.Page) pageRow {
	row := pageRow{Page: p, Address: p.URL}
	if row.Address == "" || !strings.Contains(row.Address, "://") {
		row.Address = "/" + strings.TrimPrefix(p.Slug, "/")
		if p.Domain != "" {
			row.Address = "https://" + p.Domain + row.Address
		}
	}
	x, err := ruleSet.Explain(cfg.Server.Sites(), rules.Question{Address: row.Address})
	if err != nil {
		row.Decision = "elsewhere"
		return row
	}
	row.Decision, row.Rule = x.Decision, x.Rule
	return row
}
