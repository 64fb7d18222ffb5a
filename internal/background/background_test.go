package background_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

func TestWorkEndsBeforeItsHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := background.New(t.Context())
		var running atomic.Int32
		watch := func() {
			running.Add(1)
			defer running.Add(-1)
			<-w.Context().Done()
			time.Sleep(time.Second) // the bubble's time
		}
		w.Go(watch)
		w.After(time.Second, watch)
		w.After(time.Hour, func() { t.Error("a timer fired after the end") })
		w.Go(func() { w.After(time.Minute, watch) })
		time.Sleep(2 * time.Second)
		if n := running.Load(); n != 2 {
			t.Fatalf("%d run", n)
		}
		w.End()
		w.Go(watch)
		w.After(0, watch)
		synctest.Wait()
		if n := running.Load(); n != 0 {
			t.Errorf("%d run after the end", n)
		}
	})
}

func TestWorkRepeatsPanicsInHandlerAndCancels(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*background.Work, func()){
		"goroutine":              (*background.Work).Go,
		"timer":                  func(w *background.Work, f func()) { w.After(0, f) },
		"goroutine of a timer's": func(w *background.Work, f func()) { w.After(0, func() { w.Go(f) }) },
	} {
		w := background.New(t.Context())
		begin(w, func() { panic("a bug of " + name) })
		<-w.Context().Done()
		func() {
			defer func() {
				p, ok := recover().(*background.Panic)
				if !ok || p.Value != "a bug of "+name || !strings.Contains(p.Error(), "background_test.go") {
					t.Errorf("%s: %v", name, p)
				}
			}()
			w.End()
		}()
	}
}

func TestWorkKeepsFirstCancelCause(t *testing.T) {
	t.Parallel()
	w := background.New(t.Context())
	first, second := errors.New("first"), errors.New("second")
	w.Cancel(first)
	w.Cancel(second)
	w.End()
	if cause := context.Cause(w.Context()); cause != first {
		t.Errorf("cause is %v", cause)
	}
}

func TestCatchReturnsThePanic(t *testing.T) {
	t.Parallel()
	if err := background.Catch(func() {}); err != nil {
		t.Errorf("no panic is %v", err)
	}
	var p *background.Panic
	if err := background.Catch(func() { panic("bug") }); !errors.As(err, &p) || p.Value != "bug" {
		t.Errorf("a panic is %v", err)
	}
}

func TestWatchdogExpiresOnlyCurrentOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var expired atomic.Int32
		d := background.NewWatchdog(time.Minute, func() { expired.Add(1) })
		for range 10 {
			d.Begin()
			time.Sleep(time.Minute - 1)
			d.Done()
			time.Sleep(time.Hour)
		}
		if n := expired.Load(); n != 0 {
			t.Errorf("it expired %d times although every operation was in time", n)
		}
		d.Begin()
		time.Sleep(2 * time.Minute)
		if n := expired.Load(); n != 1 {
			t.Errorf("it expired %d times", n)
		}
		d.Begin()
		d.Stop()
		time.Sleep(time.Hour)
		if n := expired.Load(); n != 1 || d.Begin() {
			t.Errorf("after Stop it expired %d times", n-1)
		}
	})
}

func TestWatchdogStopWaitsForRunningCall(t *testing.T) {
	t.Parallel()
	begun, release, finished := make(chan struct{}), make(chan struct{}), atomic.Bool{}
	d := background.NewWatchdog(0, func() {
		close(begun)
		<-release
		finished.Store(true)
		panic("recovered by the watchdog")
	})
	d.Begin()
	<-begun
	time.AfterFunc(time.Millisecond, func() { close(release) })
	d.Stop()
	if !finished.Load() {
		t.Error("Stop did not wait")
	}
}
