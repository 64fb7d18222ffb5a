package main

import (
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/proxy"
)

// pageRow is a page with what the gateway's rules say about it.
type pageRow struct {
	hubspot.Page
	Address  string    `json:"address"`
	Decision string    `json:"decision"` // for somebody who is not logged in; elsewhere = on no public host of the gateway
	Rule     *ruleJSON `json:"rule"`
	Origin   string    `json:"origin,omitempty"` // with --probe: what the origin answers without the gateway
}

func (p pageRow) protected() bool { return p.Decision == "login" || p.Decision == "refuse" }

// leak is a way around the protection of a page.
type leak struct {
	Page string `json:"page"`
	Kind string `json:"kind"` // translation feed listing search dynamic redirect origin
	Text string `json:"text"`
}

type pagesResult struct {
	Pages     []pageRow     `json:"pages"`
	Redirects []redirectRow `json:"redirects"` // into what a rule protects
	Leaks     []leak        `json:"leaks"`
	Added     []string      `json:"added,omitempty"`
}

func pagesCommand(e *env) *cobra.Command {
	var path string
	var probe bool
	var add []string
	cmd := &cobra.Command{
		Use: "pages --config FILE", Short: "List HubSpot's pages, the rule that decides each, and the ways around the rules", Args: noArguments,
		Long: `Lists the site pages, landing pages and posts of the HubSpot account (the key needs the scope content), each with the rule that decides
it and with HubSpot's own restriction; then the leaks: translations, feeds, listings, search, dynamic pages and 305 redirects that show
what a rule protects. It exits 1 when it finds any.`,
		RunE: func(*cobra.Command, []string) error { return pages(e, path, probe, add) },
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&probe, "probe", false, "ask the origin itself whether protected pages are readable around the gateway")
	cmd.Flags().StringSliceVar(&add, "add", nil, "write rules for the pages with these IDs into the file, its comments kept")
	return cmd
}

func pages(e *env, path string, probe bool, add []string) error {
	rules, cfg, err := rulesOf(e, path)
	if err != nil {
		return err
	}
	account, err := commandAccount(cfg)
	if err != nil {
		return err
	}
	list, err := account.Pages(e.ctx, func(n int) { fmt.Fprintf(e.stderr, "%d pages read\n", n) })
	if status, _ := hubspot.Refused(err); status == http.StatusForbidden {
		return fmt.Errorf("%w; give the key the scope content (HubSpot: Development, Keys, Service keys)", err)
	}
	if err != nil {
		return err
	}
	redirects, err := account.Redirects(e.ctx)
	if err != nil {
		fmt.Fprintf(e.stderr, "hubgate: redirects were not checked: %v\n", err)
	}
	result := pagesResult{Pages: cfg.pageRows(rules, list), Leaks: []leak{}}
	if len(add) > 0 {
		if result.Added, err = addRules(e, path, result.Pages, add); err != nil {
			return err
		}
		if rules, cfg, err = rulesOf(e, path); err != nil {
			return err
		}
		result.Pages = cfg.pageRows(rules, list) // as they are now
	}
	finder := newLeakFinder(cfg, rules, result.Pages, redirects)
	result.Leaks, result.Redirects = append(result.Leaks, finder.all()...), finder.into()
	if probe {
		result.Leaks = append(result.Leaks, probeOrigin(e, cfg, result.Pages)...)
	}
	return result.print(e, path)
}

func (c *Config) pageRows(rules *proxy.Rules, list []hubspot.Page) []pageRow {
	rows := make([]pageRow, len(list))
	for i, p := range list {
		rows[i] = c.pageRow(rules, p)
	}
	return rows
}

// pageRow judges a page as a visitor who is not logged in would meet it.
func (c *Config) pageRow(rules *proxy.Rules, p hubspot.Page) pageRow {
	row := pageRow{Page: p, Address: p.URL}
	if row.Address == "" || !strings.Contains(row.Address, "://") {
		row.Address = "/" + strings.TrimPrefix(p.Slug, "/")
		if p.Domain != "" {
			row.Address = "https://" + p.Domain + row.Address
		}
	}
	x, err := c.explain(rules, row.Address, "GET", nil)
	if err != nil {
		row.Decision = "elsewhere"
		return row
	}
	row.Decision, row.Rule = x.Decision, x.Rule
	return row
}

func (r pagesResult) print(e *env, path string) error {
	if e.output == "json" {
		if err := e.printJSON(r); err != nil {
			return err
		}
		return r.status()
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tADDRESS\tDECISION\tRULE\tHUBSPOT'S OWN\tSTATE")
	for _, p := range r.Pages {
		rule := ""
		if p.Rule != nil {
			rule = p.Rule.place(path)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Address, p.Decision, rule, ownRestriction(p.Page), p.State)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range r.Redirects {
		fmt.Fprintf(e.stdout, "redirect %d from %s (%s) into %s\n", r.Style, r.From, r.Decision, r.To)
	}
	fmt.Fprintf(e.stdout, "\n%s, %s\n", count(len(r.Pages), "page"), count(len(r.Leaks), "leak"))
	for _, l := range r.Leaks {
		fmt.Fprintf(e.stdout, "%s %s: %s\n", e.colour(e.stdout, red, "LEAK "+l.Kind), l.Page, l.Text)
	}
	for _, added := range r.Added {
		fmt.Fprintf(e.stdout, "added a rule for %s to %s\n", added, path)
	}
	return r.status()
}

func (r pagesResult) status() error {
	if len(r.Leaks) > 0 {
		return silentError(exitFailed)
	}
	return nil
}

func ownRestriction(p hubspot.Page) string {
	var words []string
	if p.Password {
		words = append(words, "password")
	}
	if p.Restricted {
		words = append(words, "members")
	}
	if p.Dynamic {
		words = append(words, "dynamic")
	}
	return strings.Join(words, ", ")
}
