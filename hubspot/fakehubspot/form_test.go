package fakehubspot

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestFormShowsItsSettings(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Forms: []Form{
		{ID: "plain"},
		{ID: "safe", AlwaysNew: true},
		{ID: "stage", LifecycleStage: "lead", CaptchaRequired: true},
		{ID: "old", Archived: true},
	}})
	for id, want := range map[string]Form{
		"plain": {ID: "plain"}, "safe": {ID: "safe", AlwaysNew: true},
		"stage":             {ID: "stage", LifecycleStage: "lead", CaptchaRequired: true},
		"old?archived=true": {ID: "old", Archived: true},
		"old":               {}, "other": {}, "plain?archived=true": {},
	} {
		w := call(t, s, "GET", "/marketing/v3/forms/"+id, "")
		var form struct {
			ID            string `json:"id"`
			Archived      bool   `json:"archived"`
			Configuration struct {
				AlwaysNew       bool `json:"createNewContactForNewEmail"`
				CaptchaRequired bool `json:"recaptchaEnabled"`
				LifecycleStages []struct {
					ObjectTypeID string `json:"objectTypeId"`
					Value        string `json:"value"`
				} `json:"lifecycleStages"`
			} `json:"configuration"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &form); err != nil || (w.Code == http.StatusOK) != (want.ID != "") {
			t.Errorf("%s: %d %v", id, w.Code, err)
		}
		got := Form{AlwaysNew: form.Configuration.AlwaysNew, CaptchaRequired: form.Configuration.CaptchaRequired,
			ID: form.ID, Archived: form.Archived}
		for _, stage := range form.Configuration.LifecycleStages {
			got.LifecycleStage = stage.Value
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
	}
}

func TestFormNeedsItsScope(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Scopes: []string{"crm.objects.contacts.write"}})
	if w := call(t, s, "GET", "/marketing/v3/forms/plain", ""); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFormRejectsSubmissions(t *testing.T) {
	t.Parallel()
	s := New(Config{FaultPercent: NoFaults, Forms: []Form{
		{ID: "plain"}, {ID: "captcha", CaptchaRequired: true}, {ID: "old", Archived: true},
	}})
	const mail = `{"fields":[{"objectTypeId":"0-1","name":"email","value":"a@x.example"}],"context":{}}`
	for _, c := range []struct {
		form, body string
		status     int
	}{
		{"plain", mail, 200}, {"captcha", mail, 400}, {"old", mail, 404}, {"other", mail, 404},
		{"plain", `{"fields":[],"context":{}}`, 400},
	} {
		path := "/submissions/v3/integration/secure/submit/4711/" + c.form
		if w := call(t, s, "POST", path, c.body); w.Code != c.status {
			t.Errorf("%s %s: %d %s", c.form, c.body, w.Code, w.Body)
		}
	}
	if n := len(s.Submissions()); n != 1 {
		t.Errorf("%d submissions", n)
	}
}
