package access

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// account is a HubSpot account in memory, as the transport of clients.
type account struct {
	mu       sync.Mutex
	contacts map[string]contact // by e-mail address
	emails   map[string]string  // by id
	calls    []apiCall
	portal   atomic.Int64 // 0 = that call fails
	portals  atomic.Int64 // calls for it
	latency  time.Duration
	refuse   func(c apiCall) *http.Response // what is answered instead; nil = the answer
}

type contact struct {
	id         string
	properties map[string]string
	lists      []string
}

// apiCall is a call that the account received.
type apiCall struct {
	at     time.Time
	lists  bool // of memberships
	inputs []string

	properties []string
}

func newAccount() *account {
	a := &account{}
	a.clear()
	return a
}

func (a *account) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.contacts, a.emails = map[string]contact{}, map[string]string{}
}

func (a *account) remove(email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.contacts, email)
}

func (a *account) set(email string, c contact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.contacts[email], a.emails[c.id] = c, email
}

func (a *account) setRefuse(refuse func(c apiCall) *http.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refuse = refuse
}

func (a *account) setLatency(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = d
}

// received returns the calls since the last time that it was called, without those of probes.
func (a *account) received() (visits []apiCall) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if !c.probe() {
			visits = append(visits, c)
		}
	}
	a.calls = nil
	return visits
}

func (c apiCall) probe() bool {
	return len(c.inputs) == 0 || strings.HasPrefix(c.inputs[0], "hubgate-probe@")
}

// RoundTrip answers a call.
func (a *account) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/account-info/") {
		a.portals.Add(1)
		if id := a.portal.Load(); id > 0 {
			return respond(http.StatusOK, map[string]int64{"portalId": id}), nil
		}
		return respond(int(-a.portal.Load()), map[string]string{"status": "error", "message": "no"}), nil
	}
	var body struct {
		Inputs []struct {
			ID       string `json:"id"`
			RecordID string `json:"recordId"`
		} `json:"inputs"`
		Properties []string `json:"properties"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	c := apiCall{at: time.Now(), lists: strings.Contains(r.URL.Path, "/memberships/"), properties: body.Properties}
	for _, in := range body.Inputs {
		c.inputs = append(c.inputs, in.ID+in.RecordID)
	}
	a.mu.Lock()
	a.calls = append(a.calls, c)
	refuse, latency := a.refuse, a.latency
	a.mu.Unlock()
	if !background.Sleep(r.Context(), latency) {
		return nil, context.Cause(r.Context())
	}
	if refuse != nil {
		if response := refuse(c); response != nil {
			return response, nil
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.lists {
		return respond(http.StatusOK, a.memberships(c.inputs)), nil
	}
	return respond(http.StatusOK, a.read(c.inputs, c.properties)), nil
}

// read answers in another order than asked.
func (a *account) read(emails, names []string) any {
	results, errs := []any{}, []any{}
	for i := range emails {
		email := emails[len(emails)-1-i]
		c, found := a.contacts[email]
		if !found {
			errs = append(errs, map[string]any{"status": "error", "category": "OBJECT_NOT_FOUND",
				"message": "Could not get some CONTACT objects", "context": map[string][]string{"ids": {email}}})
			continue
		}
		properties := map[string]any{}
		for _, name := range names {
			properties[name] = nil
		}
		properties["email"] = email
		for name, value := range c.properties {
			properties[name] = value
		}
		results = append(results, map[string]any{"id": c.id, "properties": properties})
	}
	return map[string]any{"status": "COMPLETE", "results": results, "errors": errs, "numErrors": len(errs)}
}

func (a *account) memberships(ids []string) any {
	results := []any{}
	for _, id := range ids {
		lists := []any{}
		for _, list := range a.contacts[a.emails[id]].lists {
			lists = append(lists, map[string]string{"listId": list})
		}
		results = append(results, map[string]any{"objectTypeId": "0-1", "recordId": id, "recordListMemberships": lists})
	}
	return map[string]any{"status": "COMPLETE", "results": results}
}

func respond(status int, body any) *http.Response {
	raw, _ := json.Marshal(body)
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(raw))),
	}
}

// failWith makes all calls fail.
func failWith(status int, body any) func(apiCall) *http.Response {
	return func(apiCall) *http.Response { return respond(status, body) }
}
