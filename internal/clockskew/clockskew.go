package clockskew

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// Clock gathers by how much this machine's clock differs from the clocks of those who answer.
type Clock struct {
	mu    sync.Mutex
	Offs  map[string]time.Duration // by host, as of its last answer
	wrong time.Time                // since when everybody who answered disagrees; zero = somebody agrees
	Tell  func(setting.Finding)    // is told when the clock turns out to be wrong; may be nil
}

// note takes an answer's word.
func (c *Clock) note(host string, off time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Offs == nil {
		c.Offs = map[string]time.Duration{}
	}
	c.Offs[host] = off
	switch all := c.judged(); {
	case all[0].Status == setting.OK:
		c.wrong = time.Time{}
	case c.wrong.IsZero():
		if c.wrong = now; c.Tell != nil {
			c.Tell(all[0])
		}
	}
}

// Health reports whether the clock is wrong, by how much in words, and since when. It is not wrong while no answer has been seen.
func (c *Clock) Health() (detail string, since time.Time, wrong bool) {
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

// Judge is nothing while nobody has answered.
func (c *Clock) Judge() []setting.Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.judged()
}

// judged believes the answer that is nearest: one server whose own clock is wrong says nothing about ours.
func (c *Clock) judged() []setting.Finding {
	if len(c.Offs) == 0 {
		return nil
	}
	off := time.Duration(math.MaxInt64)
	for _, o := range c.Offs {
		if o.Abs() < off.Abs() {
			off = o
		}
	}
	if off.Abs() <= clockDoubt {
		return []setting.Finding{{Part: "clock", Status: setting.OK, Detail: "agrees with those who answered"}}
	}
	d := setting.Finding{Part: "clock", Status: setting.Warning, Detail: fmt.Sprintf("this machine's clock is %s behind", off.Round(time.Second)), Cure: "run a time service (NTP)", Where: "this machine"}
	if off < 0 {
		d.Detail = fmt.Sprintf("this machine's clock is %s ahead", off.Abs().Round(time.Second))
	}
	if off.Abs() > clockFatal {
		d.Status, d.Detail = setting.Failed, d.Detail+": tokens seem to be of another time, and logins fail"
	}
	return []setting.Finding{d}
}

// Transport reads the Date of every answer.
type Transport struct {
	Next  http.RoundTripper
	Clock *Clock
	Now   func() time.Time
}

// RoundTrip passes the request on. A Date is the beginning of its second, and as old as the answer was on its way.
func (c *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := c.Now()
	res, err := c.Next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		ended := c.Now()
		off := time.Duration(0)
		switch { // 0 when the Date lies anywhere between the request and its answer
		case at.Add(time.Second).Before(begun):
			off = at.Add(time.Second).Sub(begun)
		case at.After(ended):
			off = at.Sub(ended)
		}
		c.Clock.note(r.URL.Host, off, ended)
	}
	return res, nil
}
