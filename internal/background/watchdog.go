package background

import (
	"sync"
	"time"
)

// Watchdog calls a function when an operation takes too long. It never does so after Stop has returned.
type Watchdog struct {
	limit  time.Duration
	expire func()

	mu      sync.Mutex
	timer   *time.Timer
	by      time.Time // when the operation under way must be done; zero = none is under way
	stopped bool
}

// NewWatchdog makes one. expire runs in another goroutine, must not block, and is not called for an operation that is
// done.
func NewWatchdog(limit time.Duration, expire func()) *Watchdog {
	return &Watchdog{limit: limit, expire: expire}
}

// Begin reports whether an operation may begin, and if so, expects Done within the limit.
func (d *Watchdog) Begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return false
	}
	d.by = time.Now().Add(d.limit)
	if d.timer == nil {
		d.timer = time.AfterFunc(d.limit, d.fire)
	} else {
		d.timer.Reset(d.limit)
	}
	return true
}

// Done ends the operation.
func (d *Watchdog) Done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.by = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// Stop waits for a call of the function that is under way, and allows no other.
func (d *Watchdog) Stop() {
	d.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
}

// fire holds the lock while it calls the function: that is what Done and Stop wait for.
func (d *Watchdog) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by.IsZero() || time.Now().Before(d.by) { // done, or begun anew, while the timer fired
		return
	}
	_ = Catch(d.expire) // it only sets a deadline: without it the operation ends when the connection does
}
