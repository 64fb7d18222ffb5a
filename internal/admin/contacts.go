package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

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
	changeDeadLetters(w, r, "replayed", s.Contacts.Replay)
}

func (s *Server) dropContacts(w http.ResponseWriter, r *http.Request) {
	changeDeadLetters(w, r, "dropped", s.Contacts.Drop)
}

// changeDeadLetters changes the dead letters that the request selects, and responds with their number under the name
// result.
func changeDeadLetters(
	w http.ResponseWriter, r *http.Request, result string,
	change func(ctx context.Context, ids []string, all bool) (int, error),
) {
	var body struct {
		IDs []string `json:"ids"`
		All bool     `json:"all"`
	}
	err := readJSON(r, &body)
	switch {
	case err != nil:
	case body.All == (len(body.IDs) > 0):
		err = errors.New(`send either {"ids": ["..."]} or {"all": true}`)
	case slices.ContainsFunc(body.IDs, func(id string) bool { return strings.TrimSpace(id) == "" }):
		err = errors.New("an id is empty")
	}
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	n, err := change(r.Context(), body.IDs, body.All)
	if err != nil {
		refuseUnavailable(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{result: n})
}
