package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// heldCRM is a HubSpot that answers each call by what it knows when the call comes, but sends the answer only once it
// is released.
type heldCRM struct {
	next     http.Handler
	released chan struct{}
	held     atomic.Int64 // answers so far
}

func (s *site) holdCRM() *heldCRM {
	h := &heldCRM{next: s.crm.api(), released: make(chan struct{})}
	s.crm.reads.fail(h.serve)
	return h
}

func (h *heldCRM) serve(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	h.next.ServeHTTP(answer, r)
	h.held.Add(1)
	select {
	case <-h.released:
	case <-r.Context().Done():
		return
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// release sends the answers. Calls are answered at once from now on.
func (h *heldCRM) release(s *site) {
	s.crm.reads.fail(nil)
	close(h.released)
}

// group returns people of the directory who have logged in, with contacts that are in a list.
func (s *site) group(name string, n int, list string) (members []*visitor) {
	s.t.Helper()
	for i := range n {
		name := fmt.Sprintf("%s%d", name, i)
		s.contact(name, "", list)
		v := s.person(name, nil)
		s.enters(v, "/members/")
		members = append(members, v)
	}
	return members
}

// keepOpening opens a page of customers at a gateway again and again. Each answer must be one of those that HubSpot's
// answers and a dead gateway or Redis can lead to.
func (s *site) keepOpening(l *load, v *visitor, gateway int, allowed ...int) {
	header := fmt.Sprintf("%s%s: %d\r\n", s.cookieLine(v), toGateway, gateway)
	k := &keepAlive{address: local(s.port), cookie: header}
	s.t.Cleanup(k.close)
	repeat(&l.all, 50*time.Millisecond, l.over, func() {
		status, err := k.do(http.MethodGet, "/customers/x", "")
		if err != nil || !slices.Contains(allowed, status) {
			l.fail("gateway %d: %d %v, want one of %v", gateway, status, err, allowed)
		}
		l.requests.Add(1)
	})
}

// Reads are in flight when a replica is killed, and when Redis is.
func TestKillsGrantNoAccess(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true, config: soon})
	s.serve()
	s.serve()
	members, others := s.group("member", 3, customersList), s.group("other", 3, betaList)
	leaver, joiner := s.group("leaver", 1, customersList)[0], s.group("joiner", 1, betaList)[0]
	l := newLoad()
	for i := range s.gateways {
		for _, v := range members {
			s.keepOpening(l, v, i, http.StatusOK, http.StatusServiceUnavailable, http.StatusBadGateway)
		}
		for _, v := range others {
			s.keepOpening(l, v, i, http.StatusForbidden, http.StatusServiceUnavailable, http.StatusBadGateway)
		}
	}
	served := func(when string, in, out *visitor) {
		t.Helper()
		for _, v := range append(members, in) {
			eventually(t, when+", members enter", func() bool { return s.everywhere(v, "/customers/x", http.StatusOK) })
		}
		for _, v := range append(others, out) {
			eventually(t, when+", others do not", func() bool {
				return s.everywhere(v, "/customers/x", http.StatusForbidden)
			})
		}
	}
	served("at first", leaver, joiner)
	s.killDuringReads(s.gateways[0].process.kill)
	eventually(t, "the other replica serves members", func() bool {
		return s.status(members[0], 1, "/customers/x") == http.StatusOK
	})
	s.gateways[0].start()
	served("after the restart", leaver, joiner)

	s.killDuringReads(func() {
		s.contact("leaver0", "", betaList) // the answers that are held are older
		s.contact("joiner0", "", customersList)
		s.redis.kill()
	})
	before := l.requests.Load()
	eventually(t, "all of them have requested pages without Redis", func() bool { return l.requests.Load() > before+100 })
	s.redis.start()
	served("with Redis again", joiner, leaver)
	l.stop()
	l.report(t)
}

// killDuringReads kills something while answers to both replicas are on the way.
func (s *site) killDuringReads(kill func()) {
	s.t.Helper()
	h := s.holdCRM()
	eventually(s.t, "answers are on the way", func() bool { return h.held.Load() >= 2 })
	kill()
	h.release(s)
}
