package hubspot

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/mapping"
)

// panicking makes reading its first responses panic.
type panicking struct {
	http.RoundTripper
	calls atomic.Int64
	times int64
}

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.RoundTripper.RoundTrip(r)
	if err == nil && p.calls.Add(1) <= p.times {
		res.Body = panickingBody{res.Body}
	}
	return res, err
}

type panickingBody struct{ io.ReadCloser }

func (panickingBody) Read([]byte) (int, error) { panic("a bug that a response triggers") }

func TestPanicOfTheWorkerEndsOneAttempt(t *testing.T) {
	for _, times := range []int64{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}})
			e.log = &log
			e.http = &panicking{RoundTripper: e.http, times: times}
			r := e.startReplica()
			e.enqueue(r, testLogin("ada@example.com"))
			e.waitDrained(r)
			if got := e.contact("ada@example.com")["firstname"]; got != "Ada" {
				t.Errorf("after %d panics: firstname %q", times, got)
			}
			r.stop()
			if n := strings.Count(log.String(), "a bug that a response triggers"); n != 1 {
				t.Errorf("%d panics are logged %d times:\n%s", times, n, log.String())
			}
		})
	}
}
