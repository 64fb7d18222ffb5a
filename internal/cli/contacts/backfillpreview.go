package contacts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/backfill"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
)

// preview returns what shows the effect of an import.
func (b *backfillRun) preview() (work func() (summary any, err error), err error) {
	if b.flags.Admin != "" || b.flags.TokenFile != "" {
		return nil, command.UsageError("--dry-run asks HubSpot itself, not a gateway; use --config FILE")
	}
	cfg, err := b.env.LoadConfig(b.flags.Config)
	if err != nil {
		return nil, err
	}
	return func() (any, error) {
		account, err := site.PreviewImport(b.env.Ctx, cfg)
		if err != nil {
			return previewTotals{}, err
		}
		p := &backfillPreview{run: b, account: account, properties: map[string]*propertyTotals{}}
		p.totals.UnusedClaims = []string{}
		for _, name := range account.Properties() {
			p.properties[name] = &propertyTotals{Property: name, Rejected: map[string]int{}}
		}
		err = b.file.each(p.add, b.reject)
		return p.summary(), p.finish(err)
	}, nil
}

// backfillPreview is a dry run.
type backfillPreview struct {
	run        *backfillRun
	account    *mapping.ImportPreview
	totals     previewTotals
	properties map[string]*propertyTotals
	rejected   bool
}

// previewTotals is what follows the people in JSON.
type previewTotals struct {
	People       int               `json:"people"`
	BadRows      int               `json:"bad_rows"`
	Excluded     map[string]int    `json:"excluded"` // reason -> people
	Properties   []*propertyTotals `json:"properties"`
	UnusedClaims []string          `json:"unused_claims"`
}

// propertyTotals is the number of people whose value of a property would be written or left out. A person of whose
// value a part is left out counts as both.
type propertyTotals struct {
	Property string         `json:"property"`
	Written  int            `json:"written"`
	Rejected map[string]int `json:"rejected"` // reason -> people
}

// previewRow is a person who would be sent.
type previewRow struct {
	Number     int                        `json:"row"`
	Line       int                        `json:"line"`
	Email      string                     `json:"email"`
	Properties []mapping.ImportedProperty `json:"properties"`
}

// maxUnusedClaims limits the list of claims without effect.
const maxUnusedClaims = 100

func (p *backfillPreview) add(row backfill.Row) error {
	for claim := range row.Claims {
		list := &p.totals.UnusedClaims
		if !p.account.Uses(claim) && len(*list) < maxUnusedClaims && !slices.Contains(*list, claim) {
			*list = append(*list, claim)
		}
	}
	list, skipped := p.account.Person(row.Claims, p.run.trustEmails)
	if skipped.Excluded {
		p.run.excluded[skipped.Reason]++
		return nil
	}
	if skipped.Reason != "" {
		p.run.reject(&backfill.RowError{Number: row.Number, Line: row.Line, Fault: skipped.Reason})
		return nil
	}
	p.totals.People++
	for _, item := range list {
		p.count(item)
	}
	person := previewRow{row.Number, row.Line, row.Claims["email"], list}
	p.run.report.add("row", person, person.text())
	return p.run.env.Ctx.Err()
}

func (p *backfillPreview) count(item mapping.ImportedProperty) {
	total := p.properties[item.Property]
	if item.Effect != mapping.EffectLeftOut {
		total.Written++
	}
	if item.Rejected != "" {
		p.rejected = true
		total.Rejected[item.Rejected]++
	}
}

// text returns the person with what would be written.
func (r previewRow) text() string {
	text := fmt.Sprintf("line %d: %s", r.Line, command.Visible(r.Email, ""))
	for _, item := range r.Properties {
		value := command.Visible(setting.Shorten(item.Value), "")
		switch rejected := command.Visible(item.Rejected, ""); {
		case item.Effect == mapping.EffectLeftOut:
			value = "left out: " + rejected
		case item.Effect == mapping.EffectPartly:
			value += " (a part is left out: " + rejected + ")"
		case item.Effect == mapping.EffectEmptied && rejected != "":
			value = "emptied (no value can be written: " + rejected + ")"
		case item.Effect == mapping.EffectEmptied:
			value = "emptied"
		}
		if item.Write != "always" {
			value += " (" + item.Write + ")"
		}
		text += fmt.Sprintf("\n  %s: %s", item.Property, value)
	}
	return text
}

func (p *backfillPreview) summary() previewTotals {
	p.totals.BadRows, p.totals.Properties = p.run.bad, []*propertyTotals{}
	p.totals.Excluded = p.run.excluded
	for _, name := range slices.Sorted(maps.Keys(p.properties)) {
		p.totals.Properties = append(p.totals.Properties, p.properties[name])
	}
	slices.Sort(p.totals.UnusedClaims)
	return p.totals
}

func (p *backfillPreview) finish(err error) error {
	if err != nil {
		return err
	}
	p.run.report.after = p.print
	return command.Found(p.rejected || p.run.bad > 0)
}

// print prints the totals.
func (p *backfillPreview) print() error {
	e, totals := p.run.env, p.summary()
	table := e.Table("PROPERTY", "WRITTEN", "LEFT OUT")
	for _, property := range totals.Properties {
		var rejected []string
		for _, reason := range slices.Sorted(maps.Keys(property.Rejected)) {
			rejected = append(rejected, setting.Number(property.Rejected[reason])+": "+reason)
		}
		command.Fprintf(table, "%s\t%s\t%s\n", property.Property, setting.Number(property.Written),
			strings.Join(rejected, "; "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(totals.UnusedClaims) > 0 {
		command.Fprintf(e.Stdout, "not mapped to a property: %s\n", strings.Join(totals.UnusedClaims, ", "))
	}
	_, err := command.Fprintf(e.Stdout, "%s to send, %s%s; nothing was sent\n",
		setting.Count(totals.People, "row"), setting.Count(totals.BadRows, "bad row"), p.run.excludedText())
	return err
}
