package access

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// outage is the time in which HubSpot answers no calls. It begins with a failed call that is about all calls, and ends
// with a probe: no visitor can begin or prolong it.
type outage struct {
	mu      sync.Mutex
	cause   error // nil = HubSpot answers
	since   time.Time
	begun   chan struct{}
	retry   chan struct{} // receives a value when the cause may be gone
	onBegin func()
	log     *slog.Logger
	blamed  time.Time // when a failure about one person was last logged
	now     func() time.Time

	probing chan struct{} // held during a probe, and for probed
	probed  time.Time     // when a probe of a reader last showed that HubSpot answers
}

func newOutage(log *slog.Logger, now func() time.Time, onBegin func()) *outage {
	return &outage{
		begun: make(chan struct{}, 1), retry: make(chan struct{}, 1), probing: make(chan struct{}, 1),
		onBegin: onBegin, log: log, now: now,
	}
}

// on reports whether HubSpot answers no calls now.
func (o *outage) on() bool { return o.current() != nil }

// begin begins an outage, unless there is one.
func (o *outage) begin(cause error) {
	o.mu.Lock()
	first := o.cause == nil
	if o.cause = cause; first {
		o.since = o.now()
	}
	o.mu.Unlock()
	if first {
		o.logBegin(cause)
		o.onBegin()
		signal(o.begun)
	}
}

// change replaces the cause, and logs it if it needs another cure.
func (o *outage) change(cause error) {
	o.mu.Lock()
	other := cureOf(cause) != cureOf(o.cause)
	o.cause = cause
	o.mu.Unlock()
	if other {
		o.logBegin(cause)
	}
}

// current returns the cause, or nil if HubSpot answers.
func (o *outage) current() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cause
}

// end ends the outage.
func (o *outage) end() {
	o.mu.Lock()
	o.cause = nil
	o.mu.Unlock()
	o.log.Info("HubSpot answers about visitors again")
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

const (
	firstProbe   = time.Second
	longestProbe = 30 * time.Second
)

// recover probes during outages until HubSpot answers, whether or not there are visitors.
func (a *Access) recover(ctx context.Context) error {
	for {
		if !a.outage.on() {
			select {
			case <-ctx.Done():
				return nil
			case <-a.outage.begun:
				continue
			}
		}
		select {
		case <-a.outage.retry: // of a reload before the outage
		default:
		}
		for pause := firstProbe; ; pause = min(2*pause, longestProbe) {
			if !a.waitForProbe(ctx, pause, a.outage.current()) {
				return nil
			}
			cause := a.probe(ctx, a.deps.Spare)
			if cause == nil {
				break
			}
			a.outage.change(cause)
		}
		a.outage.end()
	}
}

// waitForProbe waits until the next probe. A rejected token or a lacking scope needs a person, who reloads the
// configuration or changes HubSpot; a rate limit says itself how long it lasts, and pauses the calls of all replicas.
func (a *Access) waitForProbe(ctx context.Context, pause time.Duration, cause error) (more bool) {
	var e *crm.APIError
	switch {
	case !errors.As(cause, &e):
	case e.Status == http.StatusTooManyRequests:
		pause = e.RateLimitPause()
		_ = a.deps.Pause(ctx, "429: HubSpot's rate limit is reached", pause) // without it, each replica finds out
	case e.RetryAfter > 0:
		pause = e.RetryAfter
	case !e.Transient():
		pause = longestProbe
	}
	timer := time.NewTimer(pause + rand.N(pause/4+1))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-a.outage.retry:
	}
	return true
}
