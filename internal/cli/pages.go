package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

func pagesCommand(e *env) *cobra.Command {
	var path string
	var probe bool
	var add []string
	cmd := &cobra.Command{
		Use: "pages --config FILE", Short: "List HubSpot's pages with the rule for each, and find leaks", Args: noArguments,
		Long: `Lists the site pages, landing pages and posts of the HubSpot account (the key needs the scope content), each
with the rule that decides about it and with HubSpot's own restriction. Then it lists leaks: translations, feeds,
listings, search, dynamic pages and 305 redirects that show protected content.
Exit status: 0 when there are no leaks, 1 when there are, 2 when the file has mistakes.`,
		RunE: func(*cobra.Command, []string) error { return pages(e, path, probe, add) },
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&probe, "probe", false, "also request protected pages from the origin, bypassing the gateway")
	cmd.Flags().StringSliceVar(&add, "add", nil, "add rules for the pages with these IDs to the file; comments are kept")
	return cmd
}

func pages(e *env, path string, probe bool, add []string) error {
	result, err := site.Survey(e.ctx, site.Request{
		Path: path, Getenv: e.getenv, Probe: probe, Add: add, Report: func(text string) { fmt.Fprintln(e.stderr, text) },
	})
	if bad := (*site.SelectionError)(nil); errors.As(err, &bad) {
		return usageError("--add: " + bad.Error())
	}
	if err != nil {
		return err
	}
	return printPages(e, result, path)
}

func printPages(e *env, r site.Result, path string) error {
	if e.output == "json" {
		if err := e.printJSON(r); err != nil {
			return err
		}
		return pagesStatus(r)
	}
	table := e.table("ID", "KIND", "ADDRESS", "DECISION", "RULE", "HUBSPOT'S OWN", "STATE")
	for _, p := range r.Pages {
		rule := ""
		if p.Rule != nil {
			rule = rulePlace(*p.Rule, path)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Address, p.Decision, rule,
			ownRestriction(p.Page), p.State)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range r.Redirects {
		fmt.Fprintf(e.stdout, "redirect %d from %s (%s) into %s\n", r.Style, r.From, r.Decision, r.To)
	}
	fmt.Fprintf(e.stdout, "\n%s, %s\n", setting.Count(len(r.Pages), "page"), setting.Count(len(r.Leaks), "leak"))
	for _, l := range r.Leaks {
		fmt.Fprintf(e.stdout, "%s %s: %s\n", e.color(e.stdout, red, "LEAK "+l.Kind), l.Page, l.Text)
	}
	for _, added := range r.Added {
		fmt.Fprintf(e.stdout, "added a rule for %s to %s\n", added, path)
	}
	return pagesStatus(r)
}

func pagesStatus(r site.Result) error {
	if len(r.Leaks) > 0 {
		return silentError(exitFailed)
	}
	return nil
}

// ownRestriction returns how HubSpot itself restricts a page.
func ownRestriction(p crm.Page) string {
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
