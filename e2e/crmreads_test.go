package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// crmContact is a contact of HubSpot. Several may have the same address, as before they are merged.
type crmContact struct {
	id, email  string
	additional string            // other addresses, separated by ;
	properties map[string]string // other properties
	lists      []string          // ids
}

// crmReads is the part of HubSpot's API that says who may enter. It is as strict as the API's description: each
// required member must be there, results come in any order, and what does not exist is an error of the answer.
type crmReads struct {
	mu       sync.Mutex
	token    string
	contacts []crmContact
	fault    http.HandlerFunc // answers all calls of the API; nil = none
	calls    []crmCall
}

// crmCall is a batch read that was answered: the addresses whose contacts it read, or the ids of the contacts whose
// lists it read.
type crmCall []string

const (
	readPath        = "/crm/objects/2026-09/contacts/batch/read"
	membershipsPath = "/crm/lists/2026-09/records/memberships/batch/read"
	crmProbe        = "hubgate-probe@example.com" // the gateway's own question
	accessToken     = "pat-na1-e2e"
)

// guard has calls answered by the fault, if there is one, and rejects other tokens.
func (c *crmReads) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		fault, token := c.fault, c.token
		c.mu.Unlock()
		switch {
		case fault != nil:
			fault(w, r)
		case r.Header.Get("Authorization") != "Bearer "+token:
			crmError(w, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// change changes contacts, the token or the fault.
func (c *crmReads) change(change func(c *crmReads)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// put adds a contact, or replaces the one with its id.
func (c *crmReads) put(contact crmContact) {
	c.change(func(c *crmReads) {
		c.contacts = slices.DeleteFunc(c.contacts, func(old crmContact) bool { return old.id == contact.id })
		c.contacts = append(c.contacts, contact)
	})
}

// fail has all calls answered by a handler; nil: no longer.
func (c *crmReads) fail(fault http.HandlerFunc) { c.change(func(c *crmReads) { c.fault = fault }) }

// asked returns how often the contact of an address, or the lists of the contact with an id, were read.
func (c *crmReads) asked(id string) (times int) {
	for _, call := range c.answered() {
		if slices.Contains(call, id) {
			times++
		}
	}
	return times
}

// answered returns the calls that were answered so far, without the gateway's own questions.
func (c *crmReads) answered() []crmCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func crmError(w http.ResponseWriter, status int, category, policy string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"status": "error", "message": "no", "category": category, "correlationId": "1"}
	if policy != "" {
		body["policyName"] = policy
	}
	json.NewEncoder(w).Encode(body)
}

// decodeBatch decodes a request that has exactly the members of a type, or answers 400.
func decodeBatch(w http.ResponseWriter, r *http.Request, into any, valid func() bool) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || r.Header.Get("Content-Type") != "application/json" || !valid() {
		crmError(w, http.StatusBadRequest, "VALIDATION_ERROR", "")
		return false
	}
	return true
}

// answerBatch answers a batch read. results come in another order than asked.
func answerBatch(w http.ResponseWriter, results []map[string]any, missing []string) {
	rand.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	const at = "2026-01-01T00:00:00Z"
	body := map[string]any{"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
	if len(missing) > 0 {
		body["numErrors"] = len(missing)
		body["errors"] = []any{map[string]any{
			"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects",
			"context": map[string]any{"ids": missing}, "errors": []any{}, "links": map[string]any{},
		}}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

const maxCRMBatch = 100

// readContacts answers with the contacts that have the addresses.
func (c *crmReads) readContacts(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs                            []struct{ ID string }
		IDProperty                        string
		Properties, PropertiesWithHistory []string
	}
	if !decodeBatch(w, r, &body, func() bool {
		return len(body.Inputs) > 0 && len(body.Inputs) <= maxCRMBatch && body.IDProperty == "email" &&
			body.Properties != nil && body.PropertiesWithHistory != nil
	}) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results, missing, ids, sent := []map[string]any{}, []string{}, []string{}, map[string]bool{}
	for _, in := range body.Inputs {
		ids = append(ids, in.ID)
		found := false
		for _, contact := range c.contacts {
			if !contact.has(in.ID) {
				continue
			}
			found = true
			if !sent[contact.id] {
				sent[contact.id] = true
				results = append(results, contact.render(body.Properties))
			}
		}
		if !found {
			missing = append(missing, in.ID)
		}
	}
	if !slices.Equal(ids, []string{crmProbe}) {
		c.calls = append(c.calls, crmCall(ids))
	}
	answerBatch(w, results, missing)
}

func (c crmContact) has(email string) bool {
	return slices.Contains(append(strings.Split(c.additional, ";"), c.email), email)
}

// render returns a contact as the API shows it: a property without a value is null.
func (c crmContact) render(names []string) map[string]any {
	const at = "2026-01-01T00:00:00Z"
	properties := map[string]any{"hs_object_id": c.id, "createdate": at, "lastmodifieddate": at}
	for _, name := range names {
		value := map[string]string{"email": c.email, "hs_additional_emails": c.additional}[name]
		if value == "" {
			value = c.properties[name]
		}
		if properties[name] = value; value == "" {
			properties[name] = nil
		}
	}
	return map[string]any{"id": c.id, "properties": properties, "createdAt": at, "updatedAt": at, "archived": false}
}

// readMemberships answers with the lists that contacts are in.
func (c *crmReads) readMemberships(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Inputs []struct{ ObjectTypeID, RecordID string }
	}
	if !decodeBatch(w, r, &body, func() bool { return len(body.Inputs) > 0 && len(body.Inputs) <= maxCRMBatch }) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results, missing, ids := []map[string]any{}, []string{}, []string{}
	for _, in := range body.Inputs {
		ids = append(ids, in.RecordID)
		at := slices.IndexFunc(c.contacts, func(contact crmContact) bool { return contact.id == in.RecordID })
		if at < 0 || in.ObjectTypeID != "0-1" {
			missing = append(missing, in.RecordID)
			continue
		}
		lists := []map[string]any{}
		for _, id := range c.contacts[at].lists {
			const added = "2026-01-01T00:00:00Z"
			lists = append(lists, map[string]any{"listId": id, "listVersion": 1, "isPublicList": false,
				"firstAddedTimestamp": added, "lastAddedTimestamp": added})
		}
		results = append(results, map[string]any{
			"objectTypeId": "0-1", "recordId": in.RecordID, "recordListMemberships": lists})
	}
	c.calls = append(c.calls, crmCall(ids))
	answerBatch(w, results, missing)
}
