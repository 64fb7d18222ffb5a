package doctor

import (
	"context"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	formPart    = "hubspot form"
	formID      = "hubspot.visitors.form_id"
	formOptions = "HubSpot: Marketing, Forms, the form, Options"
)

// checkForm checks the form that links browsers to contacts, and says what its settings do to people who log in.
func checkForm(ctx context.Context, account *crm.Account, cfg hubspot.Config) []setting.Finding {
	form, err := account.Form(ctx)
	switch status, _ := crm.Refused(err); {
	case status == http.StatusNotFound:
		return []setting.Finding{failed(formPart, "the account has no form "+cfg.Visitors.FormID,
			"write the id of a form of this account", formID)}
	case err != nil:
		return []setting.Finding{apiFinding(cfg, err, "forms")}
	case form.Archived:
		return []setting.Finding{failed(formPart, "the form is archived, so HubSpot rejects every submission",
			"restore it in HubSpot, or write the id of another form", formID)}
	case form.Captcha:
		return []setting.Finding{failed(formPart, "the form requires a CAPTCHA, so HubSpot rejects every submission",
			"turn CAPTCHA off for this form, or write the id of another form", formOptions)}
	}
	return append([]setting.Finding{{
		Part: formPart, Status: setting.OK, Where: formOptions,
		Detail: "the form accepts submissions; HubSpot's API does not show whether it makes people marketing contacts",
		Cure: "marketing contacts cost money: unless they are wanted, " +
			`turn off "Set contacts created as marketing contacts", which is on by default`,
	}}, formWarnings(form)...)
}

// formWarnings returns what a submission does to a contact besides linking the browser.
func formWarnings(form crm.Form) (all []setting.Finding) {
	warn := func(detail, cure string) { all = append(all, warning(formPart, detail, cure, formOptions)) }
	if !form.NewContact {
		warn("the form may overwrite the e-mail address of the browser's previous contact, if HubSpot does not find the "+
			"new address in time", `turn on "Always create contact for new email address"`)
	}
	if len(form.LifecycleStages) > 0 {
		warn("the form sets the lifecycle stage "+strings.Join(form.LifecycleStages, ", ")+" of everybody who logs in",
			"turn it off, unless this is intended")
	}
	if form.Notifies {
		warn("the form sends an e-mail to users of HubSpot for each new browser of everybody who logs in",
			"turn the notifications off")
	}
	return all
}
