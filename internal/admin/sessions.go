package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/session"
)

const MaxPage = 1000

// SessionJSON is one row of GET /api/sessions. The id is the record's name: useless as a cookie.
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
	q, err := parameters(r, "user", "cursor", "limit")
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	limit, err := pageSize(q)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	listing, err := s.Sessions.List(r.Context(), session.Query{Email: q.Get("user"), Cursor: q.Get("cursor"), Limit: limit})
	if errors.Is(err, session.ErrCursor) {
		refuse(w, r, http.StatusBadRequest, "the cursor is not one that a listing returned")
		return
	}
	if err != nil {
		s.storeFault(w, r, err)
		return
	}
	rows := make([]SessionJSON, 0, len(listing.Sessions))
	for _, s := range listing.Sessions {
		rows = append(rows, SessionJSON{
			ID: s.Ref, User: s.Subject, Email: s.Email, Host: s.Host, CreatedAt: s.CreatedAt,
			LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, Address: s.Address,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": rows, "next": listing.Next})
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	ended, err := s.Sessions.EndRef(r.Context(), r.PathValue("id"))
	switch {
	case err != nil:
		s.storeFault(w, r, err)
	case !ended:
		refuse(w, r, http.StatusNotFound, "there is no session of this id; it may have ended already")
	default:
		s.ended(w, 1)
	}
}

func (s *Server) endSessionsOfUser(w http.ResponseWriter, r *http.Request) {
	q, err := parameters(r, "user")
	if err == nil && !q.Has("user") {
		err = errors.New("say whose sessions to end: ?user=EMAIL")
	}
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	n, err := s.Sessions.EndByEmail(r.Context(), q.Get("user"))
	if err != nil {
		s.storeFault(w, r, err)
		return
	}
	s.ended(w, n)
}

// ended says how many sessions ended, and what that does not do: their refresh tokens cannot be reached without the cookies.
func (s *Server) ended(w http.ResponseWriter, n int) {
	note := "the refresh tokens of these sessions are unreachable now and were not revoked at the provider; " +
		"disable the user there to keep them out"
	if cure := s.Sessions.PublishCure(); cure != "" {
		note += "\nwarning: other replicas notice within session.cache_ttl, because Redis does not let hubgate publish; " +
			cure
	}
	writeJSON(w, http.StatusOK, map[string]any{"ended": n, "note": note})
}

func (s *Server) storeFault(w http.ResponseWriter, r *http.Request, err error) {
	inbound.Of(r).Outcome.Err = err
	w.Header().Set("Retry-After", "5")
	refuse(w, r, http.StatusServiceUnavailable, "Redis cannot be asked just now; try again")
}

// parameters reads the query strictly: only the names listed, each at most once and not empty. A mistyped name that is ignored
// would end or replay more than was asked for.
func parameters(r *http.Request, names ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query is malformed")
	}
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	for name, values := range q {
		switch {
		case !known[name]:
			return nil, errors.New("unknown parameter " + strconv.Quote(logging.Capped(name)))
		case len(values) > 1:
			return nil, errors.New("parameter " + name + " is given more than once")
		case strings.TrimSpace(values[0]) == "" && name != "cursor":
			return nil, errors.New("parameter " + name + " is empty")
		}
	}
	return q, nil
}

func pageSize(q url.Values) (int, error) {
	if !q.Has("limit") {
		return 100, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > MaxPage {
		return 0, errors.New("limit is a number from 1 to 1000")
	}
	return n, nil
}
