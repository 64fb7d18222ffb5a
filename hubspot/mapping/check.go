package mapping

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

// Check is the comparison of the mapping with HubSpot's property definitions.
type Check struct {
	Missing    []crm.NewProperty `json:"missing"`
	Unsuitable map[string]string `json:"unsuitable"` // property -> why its values cannot be written
	Doubtful   map[string]string `json:"doubtful"`   // property -> what will not work
	Cures      map[string]string `json:"cures"`      // unsuitable or doubtful property -> what to change
	GroupThere bool              `json:"group_there"`
}

// The property group that setup creates.
const (
	groupName  = "hubgate"
	groupLabel = "Portal login"
)

// Compare compares the mapping with HubSpot's property definitions.
func Compare(ctx context.Context, account *crm.Account, cfg Config, groups Groups) (Check, error) {
	known, err := account.Schema(ctx)
	if err != nil {
		return Check{}, err
	}
	check := Check{
		Missing: []crm.NewProperty{}, Unsuitable: map[string]string{}, Doubtful: map[string]string{},
		Cures: map[string]string{},
	}
	for _, p := range known {
		check.GroupThere = check.GroupThere || p.GroupName == groupName
	}
	for _, r := range New(cfg).rules {
		check.add(r, known, groups)
	}
	return check, nil
}

// add adds a rule whose property is missing, cannot be written or does not work as configured.
func (check *Check) add(r rule, known crm.Schema, groups Groups) {
	p, there := known[r.property]
	list := check.Unsuitable
	reason, cure := "", ""
	switch {
	case there:
		reason, cure = r.unsuitable(known, groups)
	case crm.IsHubSpots(r.property):
		reason, cure = "HubSpot has no such property", "correct the name; only HubSpot creates properties that begin with hs_"
	default:
		check.Missing = append(check.Missing, r.newProperty(groups))
	}
	if reason == "" {
		list = check.Doubtful
		reason, cure = r.doubtful(p, there, groups)
	}
	if reason != "" {
		list[r.property], check.Cures[r.property] = reason, cure
	}
}

// Findings returns a finding for each property that cannot be written or does not work as configured.
func (check Check) Findings() []setting.Finding {
	var all []setting.Finding
	add := func(status, property, detail, cure string) {
		all = append(all, setting.Finding{
			Part: "hubspot properties", Status: status, Detail: detail, Cure: cure,
			Where: setting.Join("hubspot.contacts.properties", property),
		})
	}
	for _, p := range check.Missing {
		add(setting.Failed, p.Name, "HubSpot has no property "+p.Name, "run hubgate contacts setup, or remove it")
	}
	for _, name := range slices.Sorted(maps.Keys(check.Unsuitable)) {
		add(setting.Failed, name, name+": "+check.Unsuitable[name], check.Cures[name])
	}
	for _, name := range slices.Sorted(maps.Keys(check.Doubtful)) {
		add(setting.Warning, name, name+": "+check.Doubtful[name], check.Cures[name])
	}
	return all
}

// Create creates the missing properties, and their group if it does not exist. Existing ones are left as they are, so
// that an interrupted setup can be repeated. created is called with each name. One that HubSpot rejects does not keep
// the others from being created.
func (check Check) Create(ctx context.Context, account *crm.Account, created func(name string)) error {
	if len(check.Missing) == 0 {
		return nil
	}
	if !check.GroupThere {
		if err := account.CreateGroup(ctx, groupName, groupLabel); err != nil {
			return err
		}
	}
	var all []error
	for _, p := range check.Missing {
		err := account.CreateProperty(ctx, p, groupName, "Written by hubgate at login")
		if err == nil {
			created(p.Name)
			continue
		}
		all = append(all, err)
		status, _ := crm.Refused(err)
		if status != http.StatusBadRequest && !errors.Is(err, crm.ErrArchived) { // every other property would fail too
			break
		}
	}
	return errors.Join(all...)
}
