package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/hubgate/hubgate/hubspot"
)

func (a *admin) contactStatus(w http.ResponseWriter, r *http.Request) {
	status, err := a.contacts.Status(r.Context())
	if err != nil {
		a.storeFault(w, "contact status", err)
		return
	}
	writeJSON(w, http.StatusOK, status)
}

func (a *admin) deadContacts(w http.ResponseWriter, r *http.Request) {
	q, err := parameters(r, "cursor", "limit")
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	limit, err := pageSize(q)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	dead, err := a.contacts.Dead(r.Context(), q.Get("cursor"), limit)
	if err != nil {
		a.storeFault(w, "dead contacts", err)
		return
	}
	writeJSON(w, http.StatusOK, dead)
}

func (a *admin) replayContacts(w http.ResponseWriter, r *http.Request) {
	var body struct {
		IDs []string `json:"ids"`
		All bool     `json:"all"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if body.All == (len(body.IDs) > 0) {
		refuse(w, http.StatusBadRequest, `say which: {"ids": ["..."]} or {"all": true}`)
		return
	}
	for _, id := range body.IDs {
		if id == "" {
			refuse(w, http.StatusBadRequest, "an id is empty")
			return
		}
	}
	n, err := a.contacts.Replay(r.Context(), body.IDs, body.All)
	if err != nil {
		a.storeFault(w, "replay contacts", err)
		return
	}
	a.log.Info("dead contacts replayed", "action", "contacts_replay", "count", n, "peer", r.RemoteAddr)
	writeJSON(w, http.StatusOK, map[string]int{"replayed": n})
}

func (a *admin) sendContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"email"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	if body.Email == "" {
		refuse(w, http.StatusBadRequest, `say whose contact: {"email": "ada@example.com"}`)
		return
	}
	switch err := a.contacts.Send(r.Context(), body.Email); {
	case errors.Is(err, hubspot.ErrEmail):
		refuse(w, http.StatusBadRequest, "that is not an e-mail address")
		return
	case err != nil:
		a.storeFault(w, "send contact", err)
		return
	}
	a.log.Info("contact sent by an operator", "action", "contacts_send", "peer", r.RemoteAddr)
	writeJSON(w, http.StatusAccepted, map[string]bool{"queued": true})
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
