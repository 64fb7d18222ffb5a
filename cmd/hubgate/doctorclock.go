package main

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// clock gathers by how much this machine's clock differs from the clocks of those who answer.
type clock struct {
	mu    sync.Mutex
	offs  map[string]time.Duration // by host, as of its last answer
	wrong time.Time                // since when everybody who answered disagrees; zero = somebody agrees
	tell  func(diagnosis)          // is told when the clock turns out to be wrong; may be nil
}

// note takes an answer's word.
func (c *clock) note(host string, off time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offs == nil {
		c.offs = map[string]time.Duration{}
	}
	c.offs[host] = off
	switch all := c.judged(); {
	case all[0].Status == healthy:
		c.wrong = time.Time{}
	case c.wrong.IsZero():
		if c.wrong = now; c.tell != nil {
			c.tell(all[0])
		}
	}
}

// health reports whether the clock is wrong, by how much in words, and since when. It is not wrong while no answer has been seen.
func (c *clock) health() (detail string, since time.Time, wrong bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong.IsZero() {
		return "", time.Time{}, false
	}
	return c.judged()[0].Detail, c.wrong, true
}

// Bounds of a clock's error: tokens do not forgive more than the second.
const (
	clockDoubt = 5 * time.Second
	clockFatal = time.Minute
)

// judge is nothing while nobody has answered.
func (c *clock) judge() []diagnosis {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.judged()
}

// judged believes the answer that is nearest: one server whose own clock is wrong says nothing about ours.
func (c *clock) judged() []diagnosis {
	if len(c.offs) == 0 {
		return nil
	}
	off := time.Duration(math.MaxInt64)
	for _, o := range c.offs {
		if o.Abs() < off.Abs() {
			off = o
		}
	}
	if off.Abs() <= clockDoubt {
		return []diagnosis{{Part: "clock", Status: healthy, Detail: "agrees with those who answered"}}
	}
	d := diagnosis{Part: "clock", Status: doubted, Detail: fmt.Sprintf("this machine's clock is %s behind", off.Round(time.Second)), Cure: "run a time service (NTP)", Where: "this machine"}
	if off < 0 {
		d.Detail = fmt.Sprintf("this machine's clock is %s ahead", off.Abs().Round(time.Second))
	}
	if off.Abs() > clockFatal {
		d.Status, d.Detail = failed, d.Detail+": tokens seem to be of another time, and logins fail"
	}
	return []diagnosis{d}
}

// clockReader reads the Date of every answer.
type clockReader struct {
	next  http.RoundTripper
	clock *clock
	now   func() time.Time
}

// RoundTrip passes the request on. A Date is the beginning of its second, and as old as the answer was on its way.
func (c *clockReader) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := c.now()
	res, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		ended := c.now()
		off := time.Duration(0)
		switch { // 0 when the Date lies anywhere between the request and its answer
		case at.Add(time.Second).Before(begun):
			off = at.Add(time.Second).Sub(begun)
		case at.After(ended):
			off = at.Sub(ended)
		}
		c.clock.note(r.URL.Host, off, ended)
	}
	return res, nil
}
