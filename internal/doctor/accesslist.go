package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	listsScope  = "crm.lists.read"
	listsPlace  = "HubSpot: CRM, Segments (Lists)"
	contactType = "0-1" // HubSpot's id of the object type contacts
	// maxNested limits the lists that are read for one configured list. More would not fit into the time of the check.
	maxNested = 20
)

// listCheck is what decides about the membership of one configured list.
type listCheck struct {
	*accessCheck
	part, where string
	properties  []string // that its filters and those of nested lists read
	filters     []string // of other kinds
	nested      []string // names of nested lists
	open        []string // names of lists that contain everyone who logs in
}

// list checks a list that rules name, and the lists that its filters name.
func (c *accessCheck) list(ctx context.Context, name, id string) []setting.Finding {
	l := &listCheck{
		accessCheck: c, part: "hubspot list " + name, where: setting.Join("hubspot.access.lists", name),
	}
	root, problem := l.read(ctx, name, id)
	if problem != nil {
		c.incomplete = true
		return []setting.Finding{*problem}
	}
	all := l.walk(ctx, root, id)
	if c.schema != nil {
		all = append(all, l.writers(l.part, "its filters use ", l.properties)...)
	}
	all = append(all, l.visitorFilters()...)
	failing := slices.IndexFunc(all, func(f setting.Finding) bool { return f.Status == setting.Failed })
	if failing < 0 {
		return append([]setting.Finding{ok(l.part, l.describe(root, id))}, all...)
	}
	all[failing].Detail = l.describe(root, id) + "; " + all[failing].Detail // an ok above it would reassure
	return all
}

// read reads a configured list. problem says why no contact can be in it.
func (l *listCheck) read(ctx context.Context, name, id string) (list crm.List, problem *setting.Finding) {
	fail := func(detail, cure, where string) (crm.List, *setting.Finding) {
		f := failed(l.part, detail, cure, where)
		return crm.List{}, &f
	}
	list, err := l.get(ctx, id)
	switch status, _ := crm.Refused(err); {
	case status == http.StatusNotFound:
		if current, err := l.account.LegacyList(ctx, id); err == nil && current != "" {
			return fail(id+" is the id of a list in HubSpot's old API", "write "+name+": "+current, l.where)
		}
		return fail("the account has no list "+id,
			"write the list's ILS id: HubSpot shows it in the details of the list", l.where)
	case err != nil:
		f := apiFinding(l.cfg, err, listsScope)
		return crm.List{}, &f
	case list.Deleted:
		return fail(fmt.Sprintf("the list %q is deleted, so it has no members", list.Name),
			"restore it in HubSpot, or write the id of another list", listsPlace+"; "+l.where)
	case list.ObjectTypeID != contactType:
		return fail(fmt.Sprintf("the list %q contains other objects than contacts (type %s)", list.Name, list.ObjectTypeID),
			"write the id of a list of contacts", l.where)
	}
	return list, nil
}

// get reads a list once, whatever lists name it.
func (c *accessCheck) get(ctx context.Context, id string) (crm.List, error) {
	if list, known := c.lists[id]; known {
		return list, nil
	}
	list, err := c.account.List(ctx, id)
	if err == nil {
		c.lists[id] = list
	}
	return list, err
}

// walk collects what decides about membership of a list and of the lists that its filters name. Lists may name each
// other in a circle.
func (l *listCheck) walk(ctx context.Context, root crm.List, id string) (all []setting.Finding) {
	seen := []string{id}
	l.add(root)
	for todo := root.Lists; len(todo) > 0; todo = todo[1:] {
		next := todo[0]
		if slices.Contains(seen, next) {
			continue
		}
		if len(seen) > maxNested {
			l.incomplete = true
			return append(all, warning(l.part, fmt.Sprintf("it rests on more than %d other lists; the rest is not checked",
				maxNested), "let fewer lists decide", listsPlace))
		}
		seen = append(seen, next)
		list, err := l.get(ctx, next)
		if err != nil {
			l.incomplete = true
			all = append(all, warning(l.part, "its filters name the list "+next+", which cannot be read: "+err.Error(),
				"check the filters of the list", listsPlace))
			continue
		}
		l.add(list)
		l.nested = append(l.nested, fmt.Sprintf("%q", list.Name))
		todo = append(todo, list.Lists...)
	}
	return all
}

func (l *listCheck) add(list crm.List) {
	l.properties = unique(append(l.properties, list.Properties...))
	l.filters = unique(append(l.filters, list.Filters...))
	if list.Open {
		l.open = append(l.open, fmt.Sprintf("%q", list.Name))
	}
}

// describe names the list, so that a mistyped id that is another list's is noticed, and what it rests on.
func (l *listCheck) describe(root crm.List, id string) string {
	text := fmt.Sprintf("list %s is %q: ", id, root.Name)
	if root.ProcessingType == "DYNAMIC" {
		text += "active"
	} else {
		text += "static, filled by users, workflows and integrations"
	}
	if len(l.properties) > 0 {
		text += "; its filters use " + strings.Join(l.properties, ", ")
	}
	if len(l.nested) > 0 {
		text += "; uses the lists " + strings.Join(l.nested, ", ")
	}
	return text
}

// visitorFilters returns findings for lists that contain everyone who logs in, for filters that any visitor can meet,
// and for those of which nothing is known. Who can submit a form, or log in once, enters: that is a failed check.
func (l *listCheck) visitorFilters() (all []setting.Finding) {
	const cure = "let something decide that only your staff or your systems can change, such as a static list"
	var forms, open, unclear []string
	for _, kind := range l.filters {
		if name, known := filterKinds()[kind]; !known {
			unclear = append(unclear, kind)
		} else if name == formFilters {
			forms = append(forms, name)
		} else if name != "" {
			open = append(open, name)
		}
	}
	if len(l.open) > 0 {
		all = append(all, failed(l.part, strings.Join(l.open, ", ")+": the filters say what members lack, so a contact "+
			"that a first login creates is a member", "let the filters say what members have", listsPlace))
	}
	if len(forms) > 0 {
		all = append(all, failed(l.part, "its filters use form submissions: anybody who fills in a public form can become a "+
			"member", cure, listsPlace))
	}
	if len(open) > 0 {
		all = append(all, warning(l.part, "any visitor can meet its filters: "+strings.Join(unique(open), ", "),
			cure, listsPlace))
	}
	if len(unclear) > 0 {
		all = append(all, warning(l.part, "its filters of the kind "+strings.Join(unclear, ", ")+" are not checked",
			"look in HubSpot whether a visitor can meet them", listsPlace))
	}
	return all
}

const formFilters = "form submissions"

// filterKinds returns what a kind of filter asks for if any visitor can meet it; "" if only users of HubSpot, or their
// systems, decide. RESTRICTED, which is missing, is what HubSpot does not show to this key.
func filterKinds() map[string]string {
	const form, event, mail, consent, campaign = formFilters, "events", "marketing e-mails",
		"subscriptions and consent", "calls to action, advertisements, campaigns"
	return map[string]string{
		"ASSOCIATION": "", "PROPERTY_ASSOCIATION": "", "NUM_ASSOCIATIONS": "", "IMPORT": "",
		"FORM_SUBMISSION": form, "FORM_SUBMISSION_ON_PAGE": form, "SURVEY_MONKEY": form, "SURVEY_MONKEY_VALUE": form,
		"WEBINAR": form, "PAGE_VIEW": "page views", "EVENT": event, "UNIFIED_EVENTS": event, "INTEGRATION_EVENT": event,
		"EMAIL_EVENT": mail, "EMAIL_SUBSCRIPTION": consent, "COMMUNICATION_SUBSCRIPTION": consent, "PRIVACY": consent,
		"CTA": campaign, "ADS_TIME": campaign, "ADS_SEARCH": campaign, "CAMPAIGN_INFLUENCED": campaign,
		"CONSTANT": "a filter that is the same for everyone",
	}
}
