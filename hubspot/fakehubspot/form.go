package fakehubspot

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

// Form is a form of the account with the settings that decide what a submission does to contacts. The zero value of
// each setting is HubSpot's default.
type Form struct {
	ID              string
	AlwaysNew       bool   // a new address always creates a contact; otherwise the browser's cookie may match another
	LifecycleStage  string // the stage that a submission sets; "" = none
	CaptchaRequired bool   // HubSpot rejects submissions by API
	Archived        bool   // HubSpot shows it only to calls with archived=true
}

// form returns the form with an id.
func (s *Server) form(id string) (Form, bool) {
	if s.cfg.Forms == nil {
		return Form{ID: id}, true
	}
	i := slices.IndexFunc(s.cfg.Forms, func(f Form) bool { return f.ID == id })
	if i < 0 {
		return Form{}, false
	}
	return s.cfg.Forms[i], true
}

// readForm serves the definition of a form.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) {
	f, found := s.form(r.PathValue("form"))
	if !found || f.Archived != (r.URL.Query().Get("archived") == "true") {
		writeError(w, http.StatusNotFound, problem{Message: "Form not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	stages := []map[string]string{}
	if f.LifecycleStage != "" {
		stages = append(stages, map[string]string{"objectTypeId": contactType, "value": f.LifecycleStage})
	}
	const created = "2026-01-15T08:00:00.000Z"
	body := map[string]any{
		"formType": "hubspot", "id": f.ID, "name": "Portal login", "createdAt": created, "updatedAt": created,
		"archived": f.Archived, "fieldGroups": []any{},
		"configuration": map[string]any{
			"language": "en", "cloneable": true, "editable": true, "archivable": true,
			"postSubmitAction":            map[string]string{"type": "thank_you", "value": ""},
			"recaptchaEnabled":            f.CaptchaRequired,
			"notifyContactOwner":          false,
			"notifyRecipients":            []string{},
			"createNewContactForNewEmail": f.AlwaysNew, "prePopulateKnownValues": true,
			"allowLinkToResetKnownValues": false, "lifecycleStages": stages,
		},
		"displayOptions":      map[string]any{"renderRawHtml": false, "theme": "default_style", "submitButtonText": "Submit"},
		"legalConsentOptions": map[string]string{"type": "none"},
	}
	if f.Archived {
		body["archivedAt"] = created
	}
	writeJSON(w, http.StatusOK, body)
}

// Submission is a submitted form.
type Submission struct {
	Form, Email, UTK, PageURI, Address string
}

// Submissions returns the submitted forms, oldest first.
func (s *Server) Submissions() []Submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Submission(nil), s.forms...)
}

var browserID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (s *Server) submitForm(w http.ResponseWriter, r *http.Request) {
	var body struct {
		SubmittedAt string `json:"submittedAt"`
		Fields      []struct {
			ObjectTypeID string `json:"objectTypeId"`
			Name         string `json:"name"`
			Value        string `json:"value"`
		} `json:"fields"`
		Context struct {
			UTK      string `json:"hutk"`
			PageURI  string `json:"pageUri"`
			PageName string `json:"pageName"`
			Address  string `json:"ipAddress"`
		} `json:"context"`
	}
	if !decode(w, r, &body) {
		return
	}
	f, found := s.form(r.PathValue("form"))
	if !found || f.Archived || r.PathValue("hub") != strconv.FormatInt(s.cfg.HubID, 10) {
		writeError(w, http.StatusNotFound, problem{Message: "Form not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	sent := Submission{Form: f.ID, UTK: body.Context.UTK, PageURI: body.Context.PageURI, Address: body.Context.Address}
	for _, field := range body.Fields {
		if field.Name == "email" {
			sent.Email = field.Value
		}
	}
	if code := f.fault(sent); code != "" {
		writeError(w, http.StatusBadRequest, problem{Message: "The request is not valid",
			Errors: []detail{{Message: "Error in the submission of form " + f.ID, ErrorType: code}}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, sent)
	writeJSON(w, http.StatusOK, map[string]any{"inlineMessage": "Thanks for submitting the form."})
}

// fault returns HubSpot's code for a submission that the form does not accept, or "".
func (f Form) fault(sent Submission) string {
	switch {
	case f.CaptchaRequired:
		return "FORM_HAS_RECAPTCHA_ENABLED"
	case !isEmail(sent.Email):
		return "INVALID_EMAIL"
	case sent.UTK != "" && !browserID.MatchString(sent.UTK):
		return "INVALID_HUTK"
	}
	return ""
}
