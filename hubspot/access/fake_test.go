package access

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/session"
)

// inMemory is the transport to a server in the same process.
type inMemory struct{ http.Handler }

// RoundTrip serves a request.
func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	m.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// TestKnowAgreesWithTheFakeAccount reads several batches of people, some without a contact, from the fake of HubSpot,
// which holds each request to the API's description.
func TestKnowAgreesWithTheFakeAccount(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
		fake.Define(fakehubspot.Property{Name: "tier", Type: "string", FieldType: "text"})
		customers := fake.AddList(fakehubspot.List{Name: "customers"})
		beta := fake.AddList(fakehubspot.List{Name: "beta"})
		w.cfg.Lists = map[string]ListID{"customers": ListID(customers), "beta": ListID(beta)}
		a := w.idle(w.dial())
		client := crm.New(crm.Config{AccessToken: "pat-na1-test", APIURL: "http://hubspot.test", APIVersion: "2026-09"},
			&http.Client{Transport: inMemory{fake}}, unlimited{}, nil)
		a.deps.Urgent, a.deps.Spare = client, client
		w.start(a)
		people, ids := make([]*session.Session, 250), make([]string, 250)
		for i := range people {
			name := "m" + strconv.Itoa(i)
			people[i] = visitor(name)
			if i%5 > 0 {
				ids[i] = fake.Add(map[string]string{"email": name + "@example.com", "tier": "gold;" + name})
			}
			if i%5 == 2 {
				fake.Join(customers, ids[i])
			}
		}
		check := func(customer func(i int) bool) {
			t.Helper()
			for i, k := range w.knowAll(a, people) {
				if k == nil || k.Contact != (i%5 > 0) || k.Lists[customers] != customer(i) || k.Lists[beta] ||
					k.Contact && !slices.Equal(k.Properties["tier"], []string{"gold", "m" + strconv.Itoa(i)}) {
					t.Fatalf("%d: %+v", i, k)
				}
			}
		}
		check(func(i int) bool { return i%5 == 2 })
		for i := range people {
			if i%5 == 2 {
				fake.Leave(customers, ids[i])
			}
		}
		time.Sleep(time.Hour)
		check(func(int) bool { return false })
	})
}
