package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func (s *Server) contactStatus(w http.ResponseWriter, r *http.Request) {
	status, err := s.Contacts.Status(r.Context())
	if err != nil {
		s.storeFault(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, status)
}

func (s *Server) queuedContacts(w http.ResponseWriter, r *http.Request) {
	s.contactPage(w, r, func(cursor string, limit int) (any, error) { return s.Contacts.Waiting(r.Context(), cursor, limit) })
}

func (s *Server) deadContacts(w http.ResponseWriter, r *http.Request) {
	s.contactPage(w, r, func(cursor string, limit int) (any, error) { return s.Contacts.Dead(r.Context(), cursor, limit) })
}

// contactPage answers with one page of a list.
func (s *Server) contactPage(w http.ResponseWriter, r *http.Request, list func(cursor string, limit int) (any, error)) {
	q, err := parameters(r, "cursor", "limit")
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	limit, err := pageSize(q)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	contacts, err := list(q.Get("cursor"), limit)
	if errors.Is(err, outbox.ErrCursor) {
		refuse(w, r, http.StatusBadRequest, "the cursor is not one that a listing returned")
		return
	}
	if err != nil {
		s.storeFault(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, contacts)
}

func (s *Server) replayContacts(w http.ResponseWriter, r *http.Request) {
	var body struct {
		IDs []string `json:"ids"`
		All bool     `json:"all"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if body.All == (len(body.IDs) > 0) {
		refuse(w, r, http.StatusBadRequest, `say which: {"ids": ["..."]} or {"all": true}`)
		return
	}
	for _, id := range body.IDs {
		if strings.TrimSpace(id) == "" {
			refuse(w, r, http.StatusBadRequest, "an id is empty")
			return
		}
	}
	n, err := s.Contacts.Replay(r.Context(), body.IDs, body.All)
	if err != nil {
		s.storeFault(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"replayed": n})
}

func (s *Server) sendContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"email"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if strings.TrimSpace(body.Email) == "" {
		refuse(w, r, http.StatusBadRequest, `say whose contact: {"email": "ada@example.com"}`)
		return
	}
	known, err := s.Contacts.Send(r.Context(), body.Email)
	switch {
	case errors.Is(err, hubspot.ErrEmail):
		refuse(w, r, http.StatusBadRequest, "that is not an e-mail address")
		return
	case errors.Is(err, hubspot.ErrOff):
		refuse(w, r, http.StatusConflict, "contact sync is off: hubspot.access_token is empty, or hubspot.contacts.sync is false")
		return
	case err != nil:
		s.storeFault(w, r, err)
		return
	}
	writeJSON(w, http.StatusAccepted, SentContact{Queued: true, Known: known})
}

// SentContact is the answer to a contact that an operator wants sent. Known: a login of this person waited, and goes out whole; else
// there are only the address and the mapping's constants to send.
type SentContact struct {
	Queued bool `json:"queued"`
	Known  bool `json:"known"`
}

// readJSON reads one JSON object strictly: a mistyped member that is ignored would do something else than was meant.
func readJSON(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return errors.New("the body is not the JSON object that is wanted: " + err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body goes on after its JSON object")
	}
	return nil
}
