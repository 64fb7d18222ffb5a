package clockskew

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// The limits of the clock's offset. ID tokens are rejected when it exceeds failAbove.
const (
	warnAbove = 5 * time.Second
	failAbove = time.Minute
)

// Clock records how much this machine's clock differs from those of the hosts that responded. The zero value is ready.
type Clock struct {
	// OnWrong is called each time the clock turns out to be wrong; it may be nil.
	OnWrong func(setting.Finding)

	mu         sync.Mutex
	offsets    map[string]time.Duration // by host, of its last response; positive: this machine's clock is behind
	wrongSince time.Time                // zero while it agrees with a host
}

// record stores the offset of a host's clock.
func (c *Clock) record(host string, offset time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offsets == nil {
		c.offsets = map[string]time.Duration{}
	}
	c.offsets[host] = offset
	switch f := finding(c.smallestOffset()); {
	case f.Status == setting.OK:
		c.wrongSince = time.Time{}
	case c.wrongSince.IsZero():
		if c.wrongSince = now; c.OnWrong != nil {
			c.OnWrong(f)
		}
	}
}

// Health reports whether the clock is wrong, by how much, and since when. It is not wrong before the first response.
func (c *Clock) Health() (detail string, since time.Time, wrong bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrongSince.IsZero() {
		return "", time.Time{}, false
	}
	return finding(c.smallestOffset()).Detail, c.wrongSince, true
}

// Findings returns the result of the comparison; none before the first response.
func (c *Clock) Findings() []setting.Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.offsets) == 0 {
		return nil
	}
	return []setting.Finding{finding(c.smallestOffset())}
}

// smallestOffset returns the offset of the host whose clock differs least.
func (c *Clock) smallestOffset() time.Duration {
	smallest := time.Duration(math.MaxInt64)
	for _, offset := range c.offsets {
		if offset.Abs() < smallest.Abs() {
			smallest = offset
		}
	}
	return smallest
}

func finding(offset time.Duration) setting.Finding {
	if offset.Abs() <= warnAbove {
		return setting.Finding{Part: "clock", Status: setting.OK, Detail: "agrees with the servers' clocks"}
	}
	direction := "behind"
	if offset < 0 {
		direction = "ahead"
	}
	f := setting.Finding{
		Part: "clock", Status: setting.Warning, Cure: "synchronize it with NTP", Where: "this machine",
		Detail: fmt.Sprintf("this machine's clock is %s %s", offset.Abs().Round(time.Second), direction),
	}
	if offset.Abs() > failAbove {
		f.Status, f.Detail = setting.Failed, f.Detail+": tokens seem to be expired or not yet valid, and logins fail"
	}
	return f
}
