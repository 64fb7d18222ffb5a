package fakehubspot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Dislike is a response to every call whose body contains a text, as long as the body contains it. It concerns the
// whole call, also if every input of a batch has a trace id.
type Dislike struct {
	Text string // "" = no call
	Path string // suffix of the path of the calls; "" = any
	As   Reaction
}

// Reaction is what happens to a disliked call.
type Reaction int

// Reactions to a disliked call.
const (
	// Blocked means that a firewall before HubSpot responds: 403 with HTML, without any of HubSpot's headers.
	Blocked Reaction = iota
	// Rejected means 400 with an error that names no property.
	Rejected
	// RejectedByName means 400 with an error that names the property whose value contains the text.
	RejectedByName
	// Failed means 500.
	Failed
	// Stuck means that there is no response until the client disconnects.
	Stuck
	// TooLarge means 413 from a proxy before HubSpot, with HTML.
	TooLarge
	// Missing means 404 from a proxy before HubSpot, with HTML.
	Missing
	// Garbled means 200 from a proxy before HubSpot, with HTML.
	Garbled
	// Cut means that the connection is closed without a response.
	Cut
)

// pages are the responses of what is before HubSpot.
var pages = map[Reaction]struct {
	status int
	title  string
}{
	Blocked:  {http.StatusForbidden, "Sorry, you have been blocked"},
	TooLarge: {http.StatusRequestEntityTooLarge, "Request Entity Too Large"},
	Missing:  {http.StatusNotFound, "Not Found"},
	Garbled:  {http.StatusOK, "Please wait"},
}

// Dislike replaces the responses to calls by what their bodies contain.
func (s *Server) Dislike(dislikes ...Dislike) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disliked = slices.Clone(dislikes)
}

// find returns the first dislike that applies to a call. Its body can be read again.
func (s *Server) find(r *http.Request) (found Dislike, body []byte, ok bool) {
	s.mu.Lock()
	dislikes := s.disliked
	s.mu.Unlock()
	if len(dislikes) == 0 || r.Body == nil {
		return found, nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	r.Body = io.NopCloser(bytes.NewReader(body))
	i := slices.IndexFunc(dislikes, func(d Dislike) bool {
		return d.Text != "" && strings.HasSuffix(r.URL.Path, d.Path) && bytes.Contains(body, []byte(d.Text))
	})
	if err != nil || i < 0 {
		return found, nil, false
	}
	return dislikes[i], body, true
}

// firewall responds to disliked calls in the place of what is before HubSpot.
func (s *Server) firewall(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _, ok := s.find(r)
		page, before := pages[d.As]
		if !ok || !before {
			next.ServeHTTP(w, r)
			return
		}
		rec := &recorder{ResponseWriter: w, status: page.status, note: "firewall"}
		defer s.record(r, rec)
		rec.Header().Set("Content-Type", "text/html; charset=UTF-8")
		rec.WriteHeader(page.status)
		fmt.Fprintf(rec, "<html><title>%s</title><body>%s</body></html>", page.title, page.title)
	})
}

// refuse responds to disliked calls in the place of HubSpot.
func (s *Server) refuse(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, body, ok := s.find(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		switch d.As {
		case Rejected:
			writeError(w, http.StatusBadRequest,
				problem{Message: "There was a problem with the request.", Category: "VALIDATION_ERROR"})
		case RejectedByName:
			writeError(w, http.StatusBadRequest, *invalid(d.violations(body)))
		case Stuck, Cut:
			annotate(w, "no response")
			if d.As == Stuck {
				<-r.Context().Done()
			}
			panic(http.ErrAbortHandler)
		default:
			writeError(w, http.StatusInternalServerError, problem{Message: "internal error", Category: "INTERNAL_ERROR"})
		}
	})
}

// violations names the properties of a body whose values contain the text.
func (d Dislike) violations(body []byte) (list []violation) {
	type record struct {
		Properties map[string]string `json:"properties"`
	}
	var call struct {
		record
		Inputs []record `json:"inputs"`
	}
	_ = json.Unmarshal(body, &call)
	for _, in := range append(call.Inputs, call.record) {
		for name, value := range in.Properties {
			if strings.Contains(value, d.Text) {
				list = append(list, violation{Name: name, Error: "INVALID_STRING", Message: name + " was not valid"})
			}
		}
	}
	return list
}
