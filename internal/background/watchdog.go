package background

import (
	"sync"
	"time"
)

// Watchdog calls a function when an operation takes too long. It never does so after Stop has returned.
type Watchdog struct {
	limit  time.Duration
	expire func()

	mu       sync.Mutex
	timer    *time.Timer
	deadline time.Time // of the current operation; zero if there is none
	stopped  bool
}

// NewWatchdog returns a Watchdog. It calls expire in another goroutine, never for an operation that is done. expire
// must not block.
func NewWatchdog(limit time.Duration, expire func()) *Watchdog {
	return &Watchdog{limit: limit, expire: expire}
}

// Begin starts an operation, which must call Done within the limit. It returns false after Stop.
func (d *Watchdog) Begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return false
	}
	d.deadline = time.Now().Add(d.limit)
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
	d.deadline = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

// Stop waits for a running call of the function and prevents further ones.
func (d *Watchdog) Stop() {
	d.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
}

// fire calls the function. It holds the lock, so that Done and Stop wait for the call.
func (d *Watchdog) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deadline.IsZero() || time.Now().Before(d.deadline) { // done, or a new operation began, while the timer fired
		return
	}
	_ = Catch(d.expire) // if it panics, the operation ends with the connection
}
