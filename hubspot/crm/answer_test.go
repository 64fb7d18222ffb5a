package crm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseUpsert(t *testing.T) {
	t.Parallel()
	inputs := []Input{{Email: "a@x.example", TraceID: "1"}, {Email: "b@x.example", TraceID: "2"},
		{Email: "c@x.example", TraceID: "3"}}
	for name, c := range map[string]struct {
		body string
		want map[string]string
	}{
		"by trace, in another order": {`{"results":[{"id":"9","new":true,"objectWriteTraceId":"2"},
			{"id":"8","objectWriteTraceId":"1"},{"id":"7","objectWriteTraceId":"3"}]}`,
			map[string]string{"1": "8 false", "2": "9 true", "3": "7 false"}},
		"by e-mail": {`{"results":[{"id":"9","properties":{"email":"B@x.example","x":null}}]}`,
			map[string]string{"2": "9 false"}},
		"errors name their trace": {`{"results":[{"id":"9","objectWriteTraceId":"2"}],"numErrors":2,"errors":[
			{"status":"error","category":"VALIDATION_ERROR","message":"bad","context":{"objectWriteTraceId":["1"]}},
			{"status":"error","category":"CONFLICT","message":"there","context":{"ids":["C@x.example"]}}]}`,
			map[string]string{"1": "400 VALIDATION_ERROR bad", "2": "9 false", "3": "409 CONFLICT there"}},
		"an error about the only contact left": {`{"results":[{"id":"9","objectWriteTraceId":"2"},
			{"id":"8","objectWriteTraceId":"1"}],"errors":[{"message":"bad"}]}`,
			map[string]string{"1": "8 false", "2": "9 false", "3": "400 bad"}},
		"an error about an unknown contact": {`{"results":[],"errors":[{"message":"bad"}]}`, map[string]string{}},
	} {
		found, err := parseUpsert([]byte(c.body), inputs, nil)
		if len(found) < len(inputs)-1 && err != nil {
			err = nil // about those that are not mentioned
		} else if len(found) < len(inputs) {
			t.Errorf("%s: no error about the missing contacts", name)
		}
		got := map[string]string{}
		for trace, o := range found {
			if got[trace] = fmt.Sprintf("%s %v", o.ContactID, o.Created); o.Err != nil {
				got[trace] = o.Err.Error()
			}
		}
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	for _, garbage := range []string{"", "null", "[]", "{}", "<html>", `{"results":null}`, `{"results":7}`} {
		if _, err := parseUpsert([]byte(garbage), inputs, nil); err == nil {
			t.Errorf("%q is accepted", garbage)
		}
	}
}

func FuzzParseUpsert(f *testing.F) {
	for _, seed := range []string{
		`{"results":[{"id":"9","objectWriteTraceId":"1"}],"errors":[{"status":400,"context":{"id":"a@x.example"}}]}`,
		`{"message":"[{\"name\":\"a\"}","context":[],"errors":[{"context":null}]}`,
		`{"results":[{"properties":{"email":null}}]}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	inputs := []Input{{Email: "a@x.example", TraceID: "1"}, {Email: "b@x.example", TraceID: "2"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, _ := parseUpsert(body, inputs, nil)
		for trace, o := range found {
			if trace != "1" && trace != "2" || o.Err == nil && o.ContactID == "" {
				t.Errorf("%q: %+v", trace, o)
			}
		}
		_, _ = parseRead(body, nil)
		_, _ = parseSchema(body)
		if e := parseError(400, nil, body, nil).Error(); strings.ContainsAny(e, "\n\r\x00\x1b") || len(e) > 4*maxMessage {
			t.Errorf("%q", e)
		}
	})
}
