package admin

import (
	"errors"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func (s *Server) contactStatus(w http.ResponseWriter, r *http.Request) {
	status, err := s.Contacts.Status(r.Context())
	if err != nil {
		refuseUnavailable(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, status)
}

func (s *Server) queuedContacts(w http.ResponseWriter, r *http.Request) {
	contactPage(w, r, func(cursor string, limit int) (any, error) {
		return s.Contacts.Waiting(r.Context(), cursor, limit)
	})
}

func (s *Server) deadContacts(w http.ResponseWriter, r *http.Request) {
	contactPage(w, r, func(cursor string, limit int) (any, error) {
		return s.Contacts.Dead(r.Context(), cursor, limit)
	})
}

// contactPage responds with one page of a list.
func contactPage(w http.ResponseWriter, r *http.Request, list func(cursor string, limit int) (any, error)) {
	q, limit, err := pageQuery(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	contacts, err := list(q.Get("cursor"), limit)
	if errors.Is(err, outbox.ErrCursor) {
		refuse(w, r, http.StatusBadRequest, badCursor)
		return
	}
	if err != nil {
		refuseUnavailable(w, r, err)
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
		refuse(w, r, http.StatusBadRequest, `send either {"ids": ["..."]} or {"all": true}`)
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
		refuseUnavailable(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"replayed": n})
}

// SentContact is the response to POST /api/contacts/send. If a login of this person was waiting, Known is true and all
// its data is sent; otherwise only the address and the constants of the mapping are.
type SentContact struct {
	Queued bool `json:"queued"`
	Known  bool `json:"known"`
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
		refuse(w, r, http.StatusBadRequest, `email is missing: send {"email": "ada@example.com"}`)
		return
	}
	known, err := s.Contacts.Send(r.Context(), body.Email)
	switch {
	case errors.Is(err, hubspot.ErrEmail):
		refuse(w, r, http.StatusBadRequest, "email is not an e-mail address")
	case errors.Is(err, hubspot.ErrOff):
		refuse(w, r, http.StatusConflict,
			"contact sync is off: hubspot.access_token is empty, or hubspot.contacts.sync is false")
	case err != nil:
		refuseUnavailable(w, r, err)
	default:
		writeJSON(w, http.StatusAccepted, SentContact{Queued: true, Known: known})
	}
}
