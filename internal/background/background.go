package background

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Panic is a panic that was recovered in a background goroutine.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns the panic's value and its stack trace.
func (p *Panic) Error() string {
	return fmt.Sprintf("panic in the background: %v\n%s", p.Value, p.Stack)
}

// Catch calls f and returns its panic, if any, as a *Panic. It is for goroutines that belong to no request.
func Catch(f func()) (err error) {
	defer Recover(&err)
	f()
	return nil
}

// Recover converts a panic into an error. Methods that other packages call in their own goroutines defer it.
func Recover(err *error) {
	if v := recover(); v != nil {
		*err = &Panic{Value: v, Stack: debug.Stack()}
	}
}

// Work is the background work of one request. The handler must call End before it returns.
type Work struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	timers []*time.Timer
	room   [2]*time.Timer // backs the first two timers without another allocation
	ended  bool
	failed error // the first panic
}

// New returns the Work of a request with the context ctx.
func New(ctx context.Context) *Work {
	w := &Work{}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timers = w.room[:0]
	return w
}

// Context returns the context of the work. Cancel, End and a panic in the background cancel it.
func (w *Work) Context() context.Context { return w.ctx }

// Cancel cancels the context. Only the first cause is kept.
func (w *Work) Cancel(cause error) { w.cancel(cause) }

// Go runs f in a goroutine, unless End has been called. f must return soon after the context is canceled.
func (w *Work) Go(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.all.Add(1)
		go w.run(f)
	}
}

// After runs f in a goroutine after d, unless End is called first.
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
	w.cancel(err) // the request must not continue without its background work
}

// End cancels the context, stops the timers and waits for all goroutines. It then repeats the first panic in the
// background, if any, so that it is logged and counted like a panic of the handler.
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
