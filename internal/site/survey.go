package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/proxy/rules"
)

// pageRow is a page with what the gateway's rules say about it.
type pageRow struct {
	crm.Page
	Address  string     `json:"address"`
	Decision string     `json:"decision"` // for an anonymous visitor; elsewhere = on no public host of the gateway
	Rule     *rules.Ref `json:"rule"`
	Origin   string     `json:"origin,omitempty"` // when probed: what the origin answers without the gateway
}

func (p pageRow) protected() bool { return p.Decision == "login" || p.Decision == "refuse" }

// leak is a way around the protection of a page.
type leak struct {
	Page string `json:"page"`
	Kind string `json:"kind"` // translation feed listing search dynamic redirect origin
	Text string `json:"text"`
}

// Result is what a survey found.
type Result struct {
	Pages     []pageRow     `json:"pages"`
	Redirects []redirectRow `json:"redirects"` // into what a rule protects
	Leaks     []leak        `json:"leaks"`
	Added     []string      `json:"added,omitempty"`
}

// Request says which site to look at, and how closely.
type Request struct {
	Path   string // of the configuration file
	Getenv func(string) string
	Probe  bool         // also ask the origin for protected pages without the gateway
	Add    []string     // IDs of pages to write rules for first
	Report func(string) // receives a line of progress, or about something that could not be checked
}

// Survey lists HubSpot's pages, the rule that decides each, and the ways around the rules.
func Survey(ctx context.Context, req Request) (Result, error) {
	cfg, ruleSet, err := config.LoadRules(req.Path, req.Getenv)
	if err != nil {
		return Result{}, err
	}
	account, err := OpenAccount(cfg)
	if err != nil {
		return Result{}, err
	}
	list, err := account.Pages(ctx, func(n int) { req.Report(fmt.Sprintf("%d pages read", n)) })
	if status, _ := crm.Refused(err); status == http.StatusForbidden {
		return Result{}, fmt.Errorf("%w; give the key the scope content (HubSpot: Development, Keys, Service keys)", err)
	}
	if err != nil {
		return Result{}, err
	}
	redirects, err := account.Redirects(ctx)
	if err != nil {
		req.Report(fmt.Sprintf("hubgate: redirects were not checked: %v", err))
	}
	result := Result{Pages: pageRows(cfg, ruleSet, list), Leaks: []leak{}}
	if len(req.Add) > 0 {
		if result.Added, err = addPages(req, result.Pages); err != nil {
			return Result{}, err
		}
		if cfg, ruleSet, err = config.LoadRules(req.Path, req.Getenv); err != nil {
			return Result{}, err
		}
		result.Pages = pageRows(cfg, ruleSet, list) // as they are now
	}
	finder := newLeakFinder(cfg, ruleSet, result.Pages, redirects)
	result.Leaks, result.Redirects = append(result.Leaks, finder.all()...), finder.into()
	if req.Probe {
		result.Leaks = append(result.Leaks, probeOrigin(ctx, cfg, result.Pages, req.Report)...)
	}
	return result, nil
}

// OpenAccount opens the HubSpot account of a configuration.
func OpenAccount(cfg *config.Config) (*crm.Account, error) {
	if cfg.HubSpot.AccessToken == "" {
		return nil, errors.New("hubspot.access_token is empty: put a service key there")
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

// newPageRow judges a page as an anonymous visitor would meet it.
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
