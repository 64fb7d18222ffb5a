package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

// pagesFlags are the flags of the command pages.
type pagesFlags struct {
	path      command.ConfigPath
	probe     bool
	add       []string
	leaksOnly bool
	decision  string // list only pages with this decision; "" = all
}

func pagesCommand(e *command.Env) *cobra.Command {
	var f pagesFlags
	cmd := &cobra.Command{
		Use: "pages [--config FILE]", Short: "List HubSpot's pages with the rule for each, and find leaks",
		Args: command.NoArguments,
		Example: command.Example(
			"hubgate pages --leaks-only --probe",
			"hubgate pages --decision public",
			"hubgate pages --add 5712345678,5712345679",
		),
		Long: `Lists leaks: translations, feeds, listings, search, dynamic pages and 305 redirects that show protected
content. Then it lists the site pages, landing pages and posts of the HubSpot account (the key needs the scope content),
each with the rule that decides about it and with HubSpot's own restriction.
Exit status: 0 when everything was checked and there are no leaks, 3 when there are leaks or something could not be
checked, 1 when HubSpot could not be asked, 2 when the file has mistakes.`,
		RunE: func(*cobra.Command, []string) error { return pages(e, f) },
	}
	command.ConfigFlag(cmd, &f.path)
	cmd.Flags().BoolVar(&f.probe, "probe", false, "also request protected pages from the origin, bypassing the gateway")
	cmd.Flags().StringSliceVar(&f.add, "add", nil, "add rules for the pages with these IDs to the file; comments are kept")
	cmd.Flags().BoolVar(&f.leaksOnly, "leaks-only", false, "list leaks and what could not be checked, but no pages")
	cmd.Flags().StringVar(&f.decision, "decision", "",
		"list only pages with this decision: "+strings.Join(pageDecisions(), ", "))
	return cmd
}

// pageDecisions returns the decisions about a page for a visitor who is not logged in.
func pageDecisions() []string { return []string{"public", "login", "refuse", "elsewhere"} }

func pages(e *command.Env, f pagesFlags) error {
	if f.decision != "" && !slices.Contains(pageDecisions(), f.decision) {
		return command.UsageError(fmt.Sprintf("--decision must be one of %s, not %q", strings.Join(pageDecisions(), ", "),
			setting.Shorten(f.decision)))
	}
	path, err := e.ConfigFile(f.path)
	if err != nil {
		return err
	}
	result, err := site.Survey(e.Ctx, site.Request{
		Path: path, Getenv: e.Getenv, Probe: f.probe, Add: f.add,
		Report: e.ReportProgress,
	})
	if bad := (*site.SelectionError)(nil); errors.As(err, &bad) {
		return command.UsageError("--add: " + bad.Error())
	}
	if err != nil {
		return err
	}
	total := len(result.Pages)
	kept := result.Pages[:0]
	for _, p := range result.Pages {
		if !f.leaksOnly && (f.decision == "" || f.decision == p.Decision) {
			kept = append(kept, p)
		}
	}
	result.Pages = kept
	if e.Output == "json" {
		err = e.PrintJSON(result)
	} else {
		err = printPages(e, result, pagesView{pagesFlags: f, total: total})
	}
	if err != nil {
		return err
	}
	return command.Found(len(result.Leaks) > 0 || len(result.NotChecked) > 0)
}
