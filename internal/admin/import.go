package admin

import (
	"errors"
	"net/http"

	"github.com/hubgate/hubgate/hubspot"
)

// importContacts queues people of a file. The response says after how many seconds to send those that the queue had no
// room for.
func (s *Server) importContacts(w http.ResponseWriter, r *http.Request) {
	var body hubspot.Import
	if err := readJSON(r, &body); err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	done, err := s.Contacts.Import(r.Context(), s.Provider(), body)
	var invalid hubspot.ImportError
	switch {
	case errors.As(err, &invalid):
		refuse(w, r, http.StatusBadRequest, err.Error())
	case errors.Is(err, hubspot.ErrOff):
		refuse(w, r, http.StatusConflict,
			"contact sync is off: hubspot.access_token is empty, or hubspot.contacts.sync is false")
	case err != nil:
		refuseUnavailable(w, r, err)
	default:
		writeJSON(w, http.StatusOK, done)
	}
}
