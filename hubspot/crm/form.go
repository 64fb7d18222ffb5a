package crm

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Form is what the form that links browsers does with a submission. HubSpot's API does not show whether it makes the
// contact a marketing contact.
type Form struct {
	Archived        bool // HubSpot rejects submissions
	Captcha         bool // HubSpot rejects submissions that no browser made
	NewContact      bool // an unknown address becomes a contact of its own; otherwise it overwrites the browser's
	LifecycleStages []string
	Notifies        bool // users of HubSpot get an e-mail
}

// Form reads the settings of the configured form. There is no dated version of this call yet.
func (a *Account) Form(ctx context.Context) (Form, error) {
	f, err := a.form(ctx, "")
	if status, _ := Refused(err); status == http.StatusNotFound {
		var archived error
		if f, archived = a.form(ctx, "?archived=true"); archived == nil {
			return f, nil
		}
	}
	if err != nil {
		return Form{}, fmt.Errorf("hubspot: read form: %w", err)
	}
	return f, nil
}

func (a *Account) form(ctx context.Context, query string) (Form, error) {
	body, err := a.doWithRetry(ctx, call{
		op: dependency.OpForm, method: http.MethodGet,
		url: a.client.api("/marketing/v3/forms/" + url.PathEscape(a.cfg.FormID) + query),
	})
	if err != nil {
		return Form{}, err
	}
	var w struct {
		Archived      bool `json:"archived"`
		Configuration *struct {
			NewContact      bool `json:"createNewContactForNewEmail"`
			Captcha         bool `json:"recaptchaEnabled"`
			LifecycleStages []struct {
				Value string `json:"value"`
			} `json:"lifecycleStages"`
			NotifyOwner bool     `json:"notifyContactOwner"`
			Recipients  []string `json:"notifyRecipients"`
		} `json:"configuration"`
	}
	err = decodeResponse(body, &w)
	if err == nil && w.Configuration == nil {
		err = missingMember("configuration")
	}
	if err != nil {
		return Form{}, err
	}
	c := w.Configuration
	f := Form{
		Archived: w.Archived, Captcha: c.Captcha, NewContact: c.NewContact,
		Notifies: c.NotifyOwner || len(c.Recipients) > 0,
	}
	for _, stage := range c.LifecycleStages {
		f.LifecycleStages = append(f.LifecycleStages, sanitize(stage.Value))
	}
	return f, nil
}
