package hubspot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

type fault = fakehubspot.Fault

// badResponse is a fault, and the time until the contact is written in spite of it.
type badResponse struct {
	fault    fault
	min, max int // seconds
}

func badResponses() map[string]badResponse {
	retry := func(after string) map[string]string { return map[string]string{"Retry-After": after} }
	return map[string]badResponse{
		"rate limit of ten seconds": {fault{Status: 429,
			Body: problemJSON("RATE_LIMITS", `,"policyName":"TEN_SECONDLY_ROLLING"`)}, 10, 16},
		"rate limit of one second": {fault{Status: 429,
			Body: problemJSON("RATE_LIMITS", `,"policyName":"SECONDLY"`)}, 2, 8},
		"daily limit": {fault{Status: 429, Body: problemJSON("RATE_LIMITS", `,"policyName":"DAILY"`)}, 600, 660},
		"daily limit, in the message only": {fault{Status: 429,
			Body: `{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT"}`}, 600, 660},
		"429 without a body":          {fault{Status: 429}, 10, 16},
		"Retry-After":                 {fault{Status: 429, Header: retry("20"), Body: "{}"}, 20, 26},
		"Retry-After in milliseconds": {fault{Status: 429, Header: retry("10000"), Body: "{}"}, 10, 70},
		"Retry-After of years":        {fault{Status: 503, Header: retry("99999999999999999999")}, 1, 80},
		"invalid Retry-After":         {fault{Status: 503, Header: retry("soon")}, 1, 10},
		"locked record":               {fault{Status: 423, Body: problemJSON("LOCKED", "")}, 2, 12},
		"account migration": {fault{Status: 477,
			Header: retry("300"), Body: problemJSON("MIGRATION_IN_PROGRESS", "")}, 300, 420},
		"500":                   {fault{Status: 500, Body: problemJSON("INTERNAL_ERROR", "")}, 1, 10},
		"502 with an HTML page": {fault{Status: 502, Body: "<html>bad gateway"}, 1, 10},
		"504":                   {fault{Status: 504}, 1, 10},
		"524":                   {fault{Status: 524}, 1, 10},
		"redirect": {fault{Status: 307,
			Header: map[string]string{"Location": "https://elsewhere.example/"}}, 1, 10},
		"401 once": {fault{Status: 401, Body: problemJSON("INVALID_AUTHENTICATION", "")}, 1, 10},
		"403 once": {fault{Status: 403,
			Body: problemJSON("MISSING_SCOPES", `,"context":{"requiredGranularScopes":["x"]}`)}, 1, 10},
		"not JSON": {fault{Status: 200, Body: "<html>welcome"}, 1, 10},
		"truncated response": {fault{Status: 200,
			Apply: true, Body: `{"status":"COMPLETE","results":[{"id":"1`}, 1, 10},
		"empty response":                   {fault{Status: 200}, 1, 10},
		"no results":                       {fault{Status: 200, Body: `{"status":"COMPLETE","results":[]}`}, 1, 10},
		"pending":                          {fault{Status: 200, Body: `{"status":"PENDING"}`}, 1, 10},
		"errors that name no contact":      {fault{Status: 207, Body: contactErrorJSON("RATE_LIMITS")}, 10, 20},
		"missing scope for one contact":    {fault{Status: 207, Body: contactErrorJSON("MISSING_SCOPES")}, 1, 10},
		"contact not found for a moment":   {fault{Status: 200, Body: contactErrorJSON("OBJECT_NOT_FOUND")}, 1, 10},
		"endless response":                 {fault{Bomb: true}, 1, 10},
		"no response":                      {fault{Hang: true}, 30, 40},
		"connection lost before the write": {fault{Cut: true}, 1, 10},
		"connection lost after the write":  {fault{Apply: true, Cut: true}, 1, 10},
		"no response after the write":      {fault{Apply: true, Hang: true}, 30, 40},
		"502 after the write":              {fault{Apply: true, Status: 502}, 1, 10},
	}
}

// TestContactSurvivesBadResponse checks that one bad response delays a contact but does not lose it: nothing becomes a
// dead letter, and no unnecessary calls are made.
func TestContactSurvivesBadResponse(t *testing.T) {
	t.Parallel()
	for name, c := range badResponses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				properties := usualProperties()
				properties["lead_source"] = mapping.Property{Constant: "portal", Write: mapping.WriteCreateOnly}
				e := newEnv(t, properties)
				c.fault.Path = upsertPath
				e.fake.Next(c.fault)
				r := e.startReplica()
				start := time.Now()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitDrained(r)
				if took := time.Since(start).Seconds(); took < float64(c.min) || took > float64(c.max) {
					t.Errorf("it took %v s", took)
				}
				if got := e.contact("ada@example.com"); got["firstname"] != "Ada" || got["portal_logins"] != "1" ||
					got["lead_source"] != "portal" {
					t.Errorf("%v", got)
				}
				s, err := r.Status(t.Context())
				if err != nil || s.Dead != 0 || len(s.RejectedProperties) != 0 || e.fake.Faults() != 0 {
					t.Errorf("%+v %v, %d faults left", s, err, e.fake.Faults())
				}
				if n := e.upserts(); n > 3 { // the bad one, a probe, the contact
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}
