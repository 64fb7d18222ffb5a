package cli

import (
	"fmt"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
	"github.com/hubgate/hubgate/proxy/rules"
)

// pagesView is what to print of a survey.
type pagesView struct {
	pagesFlags
	total int // number of pages, listed or not
}

// printPages prints the leaks and a summary before the pages, which may be thousands of lines.
func printPages(e *command.Env, r site.Result, v pagesView) error {
	for _, l := range r.Leaks {
		command.Fprintf(e.Stdout, "%s %s: %s\n", e.Color(e.Stdout, command.Red, "LEAK "+l.Kind), l.Page, l.Text)
	}
	for _, c := range r.NotChecked {
		label := e.Color(e.Stdout, command.Yellow, "NOT CHECKED "+c.Part)
		command.Fprintf(e.Stdout, "%s: %s%s; %s\n", label, someOf(c.Pages), c.Reason, c.Cure)
	}
	if len(r.Leaks)+len(r.NotChecked) > 0 {
		command.Fprintf(e.Stdout, "\n")
	}
	command.Fprintf(e.Stdout, "%s%s; %s\n", setting.Count(v.total, "page"), decisionCounts(r), leakCount(r))
	for _, added := range r.Added {
		command.Fprintf(e.Stdout, "added a rule for %s to %s\n", added, v.path)
	}
	if v.leaksOnly {
		return nil
	}
	if len(r.Pages) > 0 {
		command.Fprintf(e.Stdout, "\nPages, with the rules of %s:\n", v.path)
		if err := printPageTable(e, r); err != nil {
			return err
		}
	}
	for _, r := range r.Redirects {
		command.Fprintf(e.Stdout, "redirect %d from %s (%s) into %s\n", r.Style, r.From, r.Decision, r.To)
	}
	return nil
}

// printPageTable prints a line for each page. The address is last, so that a long one widens only its own line.
func printPageTable(e *command.Env, r site.Result) error {
	table := e.Table("ID", "KIND", "DECISION", "RULE", "IN HUBSPOT", "ADDRESS")
	for _, p := range r.Pages {
		command.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Decision, ruleCell(p.Rule), inHubSpot(p.Page),
			p.Address)
	}
	return table.Flush()
}

// decisionCounts returns the number of pages by decision.
func decisionCounts(r site.Result) string {
	var parts []string
	for _, decision := range pageDecisions() {
		if n := r.Decisions[decision]; n > 0 {
			parts = append(parts, setting.Number(n)+" "+decision)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// leakCount returns the number of leaks, and what it does not cover.
func leakCount(r site.Result) string {
	text := setting.Count(len(r.Leaks), "leak")
	if !r.OriginAsked {
		text += " (origin not asked; use --probe)"
	}
	var parts []string
	for _, c := range r.NotChecked {
		part := c.Part
		if len(c.Pages) > 0 {
			part = setting.Count(len(c.Pages), "page") + " at the " + part
		}
		parts = append(parts, part)
	}
	if len(parts) > 0 {
		text += "; not checked: " + strings.Join(parts, ", ")
	}
	return text
}

// someOf returns the first pages of a list, for the beginning of a sentence.
func someOf(pages []string) string {
	const shown = 3
	switch n := len(pages); {
	case n == 0:
		return ""
	case n > shown:
		return strings.Join(pages[:shown], ", ") + " and " + setting.Number(n-shown) + " more: "
	}
	return strings.Join(pages, ", ") + ": "
}

// maxRule is the width of the column of rules.
const maxRule = 40

// ruleCell returns a rule with its line. The file is in the heading.
func ruleCell(r *rules.Ref) string {
	switch {
	case r == nil:
		return ""
	case r.Line > 0:
		return fmt.Sprintf("%s (line %d)", setting.Truncate(r.Name, maxRule), r.Line)
	case r.Name == "default":
		return "proxy.default"
	}
	return setting.Truncate(r.Name, maxRule) + " (built in)"
}

// inHubSpot returns how HubSpot itself restricts a page, and its state unless it is published.
func inHubSpot(p crm.Page) string {
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
	if !p.Published {
		words = append(words, strings.ToLower(strings.ReplaceAll(p.State, "_", " ")))
	}
	return strings.Join(words, ", ")
}
