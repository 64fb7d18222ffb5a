package mapping

import (
	"context"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// ImportPreview shows what an Import would send to a HubSpot account. It changes nothing.
type ImportPreview struct {
	mapping *Mapping
	from    Provider
	known   crm.Schema
}

// ImportedProperty is what an Import would write into one property.
type ImportedProperty struct {
	Property string `json:"property"`
	Value    string `json:"value"`
	Write    string `json:"write"`              // always | if_empty | create_only
	Effect   string `json:"effect"`             // written | emptied | partly_written | left_out
	Rejected string `json:"rejected,omitempty"` // why the value, or a part of it, cannot be written
}

// Effects of an import on a property.
const (
	effectWritten = "written"
	EffectEmptied = "emptied"
	EffectPartly  = "partly_written"
	EffectLeftOut = "left_out"
)

// effect returns what an import does to a property.
func (item Item) effect() string {
	switch {
	case !item.Written():
		return EffectLeftOut
	case item.Value == "":
		return EffectEmptied
	case item.Drop.Partial:
		return EffectPartly
	}
	return effectWritten
}

// NewImportPreview reads the account's properties.
func NewImportPreview(
	ctx context.Context, account *crm.Account, cfg Config, from Provider,
) (*ImportPreview, error) {
	known, err := account.Schema(ctx)
	if err != nil {
		return nil, err
	}
	return &ImportPreview{mapping: New(cfg), from: from, known: known}, nil
}

// Person returns what would be written for a person with these claims, or why the person would be skipped. Properties
// whose source the person lacks are not written and not returned.
func (p *ImportPreview) Person(claims map[string]string, trust bool) (list []ImportedProperty, skipped Skipped) {
	login, skipped := p.mapping.ImportedLogin(p.from, claims, trust)
	if skipped.Reason != "" {
		return nil, skipped
	}
	for _, v := range p.mapping.Values(login, 0, p.known) {
		item := ImportedProperty{Property: v.Property, Value: v.Value, Write: v.Write, Effect: v.effect()}
		if v.Drop.Reason != "" {
			item.Rejected = v.Dropped
		}
		if item.Rejected != "" || v.Written() {
			list = append(list, item)
		}
	}
	return list, Skipped{}
}

// Properties returns the names of the mapped properties.
func (p *ImportPreview) Properties() []string {
	names := make([]string, len(p.mapping.rules))
	for i, r := range p.mapping.rules {
		names[i] = r.property
	}
	return names
}

// Uses reports whether a claim of the file has an effect.
func (p *ImportPreview) Uses(claim string) bool {
	return slices.Contains([]string{"email", "email_verified", "sub", p.from.GroupsClaim}, claim) ||
		slices.ContainsFunc(p.mapping.rules, func(r rule) bool { return r.Claim == claim })
}
