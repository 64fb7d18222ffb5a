package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// SentContact is the response to POST /api/contacts/send. If Known, the data of a login is sent: of one that was
// waiting, or of the last login of a live session. Otherwise only the address and the constants of the mapping are.
type SentContact struct {
	Queued bool `json:"queued"`
	Known  bool `json:"known"`
}

func (s *Server) sendContact(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email  string `json:"email"`
		Create bool   `json:"create"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	known, err := s.send(r.Context(), body.Email)
	if err == nil && !known && !body.Create {
		refuse(w, r, http.StatusNotFound,
			"no login of "+body.Email+" is known; --create makes a contact with the constants only")
		return
	}
	if err == nil && !known {
		err = s.Contacts.Create(r.Context(), body.Email)
	}
	if err != nil {
		refusePerson(w, r, body.Email, err)
		return
	}
	writeJSON(w, http.StatusAccepted, SentContact{Queued: true, Known: known})
}

// send sends a person's waiting login, or the last one of a live session, and reports whether there is one.
func (s *Server) send(ctx context.Context, email string) (known bool, err error) {
	if known, err = s.Contacts.Send(ctx, email); err != nil || known {
		return known, err
	}
	sessions, err := s.sessionsOf(ctx, email)
	if err != nil {
		return false, err
	}
	return s.Contacts.SendLast(ctx, email, peopleOf(sessions))
}

// sessionsOf returns the sessions of an address, at most maxSessions.
func (s *Server) sessionsOf(ctx context.Context, email string) (all []*session.Session, err error) {
	for _, spelling := range spellings(email) {
		for q := (session.Query{Email: spelling, Limit: MaxPage}); len(all) < maxSessions; {
			page, err := s.Sessions.List(ctx, q)
			if err != nil {
				return nil, err
			}
			all = append(all, page.Sessions...)
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
	}
	return all, nil
}

// spellings returns an address as it was given, which may be the provider's spelling, and as HubSpot stores it.
func spellings(email string) []string {
	list := []string{setting.Lower(strings.TrimSpace(email)), crm.EmailKey(email)}
	list = slices.DeleteFunc(list, func(spelling string) bool { return spelling == "" }) // a session query for all
	return slices.Compact(list)
}

// maxSessions limits the sessions that one request reads.
const maxSessions = 10 * MaxPage

// peopleOf returns who has the sessions, each person once.
func peopleOf(sessions []*session.Session) (people []outbox.Login) {
	seen := map[[2]string]bool{}
	for _, found := range sessions {
		if id := [2]string{found.Issuer, found.Subject}; !seen[id] {
			seen[id] = true
			people = append(people, outbox.Login{Issuer: found.Issuer, Subject: found.Subject, Email: found.Email})
		}
	}
	return people
}

// PersonJSON is the response to GET /api/contacts/person: everything that hubgate holds about the people with an
// address.
type PersonJSON struct {
	Email string `json:"email"`
	hubspot.Person
	Sessions []SessionJSON            `json:"sessions"`
	Lists    map[string]access.ListID `json:"lists,omitempty"` // the ids in Access by the names that rules use
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request) {
	q, err := parameters(r, "email")
	if err == nil && !q.Has("email") {
		err = errors.New("parameter email is missing: ?email=EMAIL")
	}
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	email := q.Get("email")
	sessions, err := s.sessionsOf(r.Context(), email)
	if err != nil {
		refuseUnavailable(w, r, err)
		return
	}
	found, err := s.Contacts.Show(r.Context(), email, peopleOf(sessions))
	if err != nil {
		refusePerson(w, r, email, err)
		return
	}
	p := PersonJSON{Email: email, Person: found, Sessions: sessionRows(sessions)}
	if s.Lists != nil && len(found.Access) > 0 {
		p.Lists = s.Lists()
	}
	writeJSON(w, http.StatusOK, p)
}

// ForgottenPerson is the response to POST /api/contacts/forget. With "allow" in the request, Allowed reports whether
// the person was forgotten.
type ForgottenPerson struct {
	Allowed bool `json:"allowed"`
	hubspot.Forgotten
}

func (s *Server) forgetPerson(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email string `json:"email"`
		Allow bool   `json:"allow"`
	}
	if err := readJSON(r, &body); err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error())
		return
	}
	var result ForgottenPerson
	var err error
	if body.Allow {
		result.Allowed, err = s.Contacts.Allow(r.Context(), body.Email)
	} else {
		result.Forgotten, err = s.forget(r.Context(), body.Email)
	}
	if err != nil {
		refusePerson(w, r, body.Email, err)
		return
	}
	writeJSON(w, http.StatusOK, result)
}

// forget has a person forgotten, and ends the sessions with the address and the other sessions of the same people.
func (s *Server) forget(ctx context.Context, email string) (hubspot.Forgotten, error) {
	sessions, err := s.sessionsOf(ctx, email)
	if err != nil {
		return hubspot.Forgotten{}, err
	}
	people := peopleOf(sessions)
	end := func(ctx context.Context) (n int, err error) {
		for _, spelling := range spellings(email) {
			ended, err := s.Sessions.EndByEmail(ctx, spelling)
			if n += ended; err != nil {
				return n, err
			}
		}
		for _, person := range people {
			ended, err := s.Sessions.EndUser(ctx, person.Issuer, person.Subject)
			if n += ended; err != nil {
				return n, err
			}
		}
		return n, nil
	}
	return s.Contacts.Forget(ctx, email, hubspot.Sessions{People: people, End: end})
}

// refusePerson responds to a request about a person that failed.
func refusePerson(w http.ResponseWriter, r *http.Request, email string, err error) {
	switch {
	case strings.TrimSpace(email) == "":
		refuse(w, r, http.StatusBadRequest, `email is missing: send {"email": "ada@example.com"}`)
	case errors.Is(err, hubspot.ErrEmail):
		refuse(w, r, http.StatusBadRequest, "email is not an e-mail address")
	case errors.Is(err, hubspot.ErrOff):
		refuse(w, r, http.StatusConflict,
			"contact sync is off: hubspot.access_token is empty, or hubspot.contacts.sync is false")
	case errors.Is(err, hubspot.ErrForgotten):
		refuse(w, r, http.StatusConflict,
			fmt.Sprintf("%s was forgotten; \"hubgate contacts forget %[1]s --allow\" takes that back", email))
	case errors.Is(err, outbox.ErrForgetKey):
		refuse(w, r, http.StatusConflict, strings.TrimPrefix(err.Error(), "hubspot: "))
	default:
		refuseUnavailable(w, r, err)
	}
}
