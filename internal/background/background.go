// Package background runs what a request needs besides the goroutine that serves it: other goroutines, and timers.
// net/http recovers a panic of a handler, but not one of a goroutine that the handler started, and it reuses a
// ResponseWriter as soon as the handler has returned: either ends the process. So whatever is started here recovers,
// and has ended before the handler returns. It imports nothing of hubgate.
package background

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Panic is a panic that was recovered in the background.
type Panic struct {
	Value any
	Stack []byte
}

// Error describes the panic and where it happened.
func (p *Panic) Error() string {
	return fmt.Sprintf("panic in the background: %v\n%s", p.Value, p.Stack)
}

// Catch runs f and returns its panic, if any, as a *Panic. It is for goroutines that no request waits for.
func Catch(f func()) (err error) {
	defer Recover(&err)
	f()
	return nil
}

// Recover turns a panic into an error. It is deferred by methods that other packages call in goroutines of their own.
func Recover(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{Value: v, Stack: debug.Stack()}
	}
}

// Work is what one request has in the background. The handler must call End before it returns.
type Work struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	timers []*time.Timer
	room   [2]*time.Timer // for the first of them, without another allocation
	ended  bool
	failed error // the first panic
}

// New returns the background of a request whose context is ctx.
func New(ctx context.Context) *Work {
	w := &Work{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timers = w.room[:0]
	return w
}

// Context is the context of the request's work: it ends with Cancel, with End, and when something in the background
// panicked.
func (w *Work) Context() context.Context { return w.ctx }

// Cancel ends the context. Its cause is the first one given.
func (w *Work) Cancel(cause error) { w.cancel(cause) }

// Go runs f in a goroutine. f must return soon after the context has ended.
func (w *Work) Go(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.all.Add(1)
		go w.run(f)
	}
}

// After runs f in a goroutine when d has passed, unless End comes first.
func (w *Work) After(d time.Duration, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.all.Add(1)
		w.timers = append(w.timers, time.AfterFunc(d, func() { w.run(f) }))
	}
}

func (w *Work) run(f func()) {
	defer w.all.Done()
	err := Catch(f)
	if err == nil {
		return
	}
	w.mu.Lock()
	if w.failed == nil {
		w.failed = err
	}
	w.mu.Unlock()
	w.cancel(err) // what was to be watched is not watched any more: it must not go on
}

// End ends the context, stops the timers, waits for what runs, and panics with the first panic there was, so that it is
// logged and counted like one of the handler's own.
func (w *Work) End() {
	w.cancel(nil)
	w.mu.Lock()
	w.ended = true
	for _, t := range w.timers {
		if t.Stop() {
			w.all.Done()
		}
	}
	w.mu.Unlock()
	w.all.Wait()
	if w.failed != nil {
		panic(w.failed)
	}
}
