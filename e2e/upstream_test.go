package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// origin is HubSpot's site. It records the requests that it receives.
type origin struct {
	*httptest.Server
	mu       sync.Mutex
	received []*http.Request
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hubfs/hs-reverse-proxy-validation-test" { // the gateway's own probe
			o.mu.Lock()
			o.received = append(o.received, r.Clone(r.Context()))
			o.mu.Unlock()
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		fmt.Fprintf(w, "<h1>page %s</h1>", filepath.Base(r.URL.Path))
	}))
	t.Cleanup(o.Close)
	return o
}

// handle replaces the handler.
func (o *origin) handle(handler http.HandlerFunc) { o.Config.Handler = handler }

func (o *origin) requests() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*http.Request{}, o.received...)
}

// crm is HubSpot's API for contacts. It accepts upserts, or answers with the status that a test wants; reads has what
// is read about visitors.
type crm struct {
	*httptest.Server
	mu       sync.Mutex
	status   int // of every upsert
	calls    int
	contacts map[string]map[string]string
	reads    crmReads
}

const upsertPath = "/crm/objects/2026-09/contacts/batch/upsert"

func newCRM(t *testing.T) *crm {
	t.Helper()
	c := &crm{status: http.StatusOK, contacts: map[string]map[string]string{}, reads: crmReads{token: accessToken}}
	c.Server = httptest.NewServer(c.reads.guard(c.api()))
	t.Cleanup(c.Close)
	return c
}

// api returns the API without a fault.
func (c *crm) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+upsertPath, c.upsert)
	mux.HandleFunc("POST "+readPath, c.reads.readContacts)
	mux.HandleFunc("POST "+membershipsPath, c.reads.readMemberships)
	mux.HandleFunc("GET /crm/properties/2026-09/contacts", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"results":[
			{"name":"email","label":"Email","type":"string","fieldType":"text","groupName":"contactinformation"},
			{"name":"firstname","label":"First name","type":"string","fieldType":"text","groupName":"contactinformation"}
		]}`)
	})
	return mux
}

func (c *crm) upsert(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.status != http.StatusOK {
		w.WriteHeader(c.status)
		io.WriteString(w, `{"status":"error","message":"no","category":"RATE_LIMITS",`+
			`"policyName":"TEN_SECONDLY_ROLLING","correlationId":"1"}`)
		return
	}
	var body struct {
		Inputs []struct {
			ID, IDProperty, ObjectWriteTraceID string
			Properties                         map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	const at = "2026-01-01T00:00:00Z"
	var results []map[string]any
	for i, in := range body.Inputs {
		_, old := c.contacts[in.ID]
		c.contacts[in.ID] = in.Properties
		results = append(results, map[string]any{
			"id": strconv.Itoa(i + 1), "new": !old, "properties": in.Properties,
			"objectWriteTraceId": in.ObjectWriteTraceID, "createdAt": at, "updatedAt": at, "archived": false,
		})
	}
	json.NewEncoder(w).Encode(map[string]any{
		"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at})
}

// contact returns the properties of a contact; nil if there is none.
func (c *crm) contact(email string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.contacts[email]
}

// upserts returns the number of upserts so far.
func (c *crm) upserts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// answerAll makes every upsert answer with a status.
func (c *crm) answerAll(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}
