package clockskew

import (
	"net/http"
	"time"
)

// Transport records the Date of every response in a Clock.
type Transport struct {
	Next  http.RoundTripper
	Clock *Clock
	Now   func() time.Time
}

// RoundTrip sends the request to the next transport.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := t.Now()
	res, err := t.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		received := t.Now()
		t.Clock.record(r.URL.Host, offsetOf(date, sent, received), received)
	}
	return res, nil
}

// offsetOf returns 0 if a Date is between the request and its response, else how far it is outside. A Date has no
// fractions of a second, and may have been set at any time in between.
func offsetOf(date, sent, received time.Time) time.Duration {
	end := date.Add(time.Second)
	switch {
	case end.Before(sent):
		return end.Sub(sent)
	case date.After(received):
		return date.Sub(received)
	}
	return 0
}
