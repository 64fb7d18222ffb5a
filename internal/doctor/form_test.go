package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

const testForm = "0a1b2c3d-1234-5678-9abc-0123456789ab"

// linked links browsers by the form testForm in an account with the forms. scopes nil = all.
func linked(scopes []string, forms ...fakehubspot.Form) fault {
	return func(d *doctor, n network) {
		d.cfg.HubSpot.Visitors.Link, d.cfg.HubSpot.Visitors.FormID = "form", testForm
		n["api.hubapi.com"] = fakehubspot.New(fakehubspot.Config{
			FaultPercent: fakehubspot.NoFaults, HubID: 4711, Token: "pat-na1-x", Forms: forms, Scopes: scopes,
		})
	}
}

var contactScopes = []string{"crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read"}

var formFaults = map[string]faultCase{
	"archived form": {
		linked(nil, fakehubspot.Form{ID: testForm, Archived: true}), formPart, setting.Failed, "is archived", formID,
	},
	"another form": {
		linked(nil, fakehubspot.Form{ID: "other"}), formPart, setting.Failed, "no form " + testForm, formID,
	},
	"form with CAPTCHA": {
		linked(nil, fakehubspot.Form{ID: testForm, CaptchaRequired: true}),
		formPart, setting.Failed, "rejects every submission", formOptions,
	},
	"form that sets a stage": {
		linked(nil, fakehubspot.Form{ID: testForm, AlwaysNew: true, LifecycleStage: "lead"}),
		formPart, setting.Warning, "lifecycle stage lead of everybody", formOptions,
	},
	"form that overwrites": {
		linked(nil, fakehubspot.Form{ID: testForm}), formPart, setting.Warning, "overwrite the e-mail", formOptions,
	},
	"form that notifies": {
		func(d *doctor, n network) {
			linked(nil)(d, n)
			serving("api.hubapi.com", testForm, responds(200, `{"id":"x","archived":false,"configuration":`+
				`{"createNewContactForNewEmail":true,"notifyRecipients":["7"],"lifecycleStages":[]}}`))(d, n)
		},
		formPart, setting.Warning, "sends an e-mail", formOptions,
	},
	"no form scope": {
		linked(contactScopes, fakehubspot.Form{ID: testForm}),
		"hubspot scopes", setting.Failed, "lacks forms", "Service keys",
	},
	"no form in the answer": {
		func(d *doctor, n network) {
			linked(nil)(d, n)
			serving("api.hubapi.com", testForm, responds(200, `<html>`))(d, n)
		},
		"hubspot", setting.Failed, "read form: HubSpot's response is not JSON", "hubspot.api_url",
	},
}

func TestFormWithoutSideEffectsIsFine(t *testing.T) {
	t.Parallel()
	d, n := healthy(pool(t))
	linked(nil, fakehubspot.Form{ID: testForm, AlwaysNew: true})(d, n)
	all := d.checkHubSpot(t.Context())
	i := slices.IndexFunc(all, func(f setting.Finding) bool { return f.Part == formPart })
	if i < 0 || i != len(all)-1 || all[i].Status != setting.OK || !strings.Contains(all[i].Detail, "marketing contacts") ||
		all[i].Where != formOptions {
		t.Errorf("%+v", all)
	}
}
