package fakehubspot

import (
	"net/http"
	"regexp"
	"strconv"
)

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
	if r.PathValue("hub") != strconv.FormatInt(s.cfg.HubID, 10) {
		writeError(w, http.StatusNotFound, problem{Message: "Form not found", Category: "OBJECT_NOT_FOUND"})
		return
	}
	if body.Context.UTK != "" && !browserID.MatchString(body.Context.UTK) {
		writeError(w, http.StatusBadRequest,
			problem{Message: "The request is not valid",
				Errors: []detail{{Message: "hutk is not valid", Code: "INVALID_HUTK"}}})
		return
	}
	sent := Submission{Form: r.PathValue("form"), UTK: body.Context.UTK, PageURI: body.Context.PageURI,
		Address: body.Context.Address}
	for _, f := range body.Fields {
		if f.Name == "email" {
			sent.Email = f.Value
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, sent)
	writeJSON(w, http.StatusOK, map[string]any{"inlineMessage": "Thanks for submitting the form."})
}
