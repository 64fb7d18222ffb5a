package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/session"
)

// SessionJSON is one entry of GET /api/sessions. The id names the record and cannot be used as a cookie.
type SessionJSON struct {
	ID         string    `json:"id"`
	User       string    `json:"user"`
	Email      string    `json:"email"`
	Host       string    `json:"host"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Address    string    `json:"address"`
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request) {
	q, limit, err := pageQuery(r, "user")
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	query := session.Query{Email: q.Get("user"), Cursor: q.Get("cursor"), Limit: limit}
	listing, err := s.Sessions.List(r.Context(), query)
	if errors.Is(err, session.ErrCursor) {
		refuse(w, r, http.StatusBadRequest, badCursor)
		return
	}
	if err != nil {
		refuseUnavailable(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": sessionRows(listing.Sessions), "next": listing.Next})
}

func sessionRows(sessions []*session.Session) []SessionJSON {
	rows := make([]SessionJSON, 0, len(sessions))
	for _, found := range sessions {
		rows = append(rows, SessionJSON{
			ID: found.Ref, User: found.Subject, Email: found.Email, Host: found.Host, CreatedAt: found.CreatedAt,
			LastSeenAt: found.LastSeenAt, ExpiresAt: found.ExpiresAt, Address: found.Address,
		})
	}
	return rows
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	ended, err := s.Sessions.EndRef(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		refuseUnavailable(w, r, err)
	case !ended:
		refuse(w, r, http.StatusNotFound, "there is no session with this id; it may have ended already")
	default:
		s.writeEnded(w, 1)
	}
}

func (s *Server) endSessionsOfUser(w http.ResponseWriter, r *http.Request) {
	q, err := parameters(r, "user")
	if err == nil && !q.Has("user") {
		err = errors.New("parameter user is missing: ?user=EMAIL")
	}
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	n, err := s.Sessions.EndByEmail(r.Context(), q.Get("user"))
	if err != nil {
		refuseUnavailable(w, r, err)
		return
	}
	s.writeEnded(w, n)
}

// writeEnded responds with the number of sessions that ended, and with what that does not do: refresh tokens can be
// read only with the cookies.
func (s *Server) writeEnded(w http.ResponseWriter, n int) {
	note := "the refresh tokens of these sessions are no longer readable and were not revoked at the provider; " +
		"disable the user there to prevent new logins"
	if cure := s.Sessions.PublishCure(); cure != "" {
		note += "\nwarning: other replicas notice within session.cache_ttl, because Redis does not let hubgate publish; " +
			cure
	}
	writeJSON(w, http.StatusOK, map[string]any{"ended": n, "note": note})
}
