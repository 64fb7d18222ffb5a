package dependency

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// probed is a dependency that a test switches off, and its prober.
type probed struct {
	*Prober
	metrics *Metrics
	log     bytes.Buffer

	mu    sync.Mutex
	ask   func(context.Context) error
	times []time.Duration // since the start
}

func (p *probed) answer(ask func(context.Context) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask = ask
}

func (p *probed) asked() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.times)
}

// newProbed runs a prober in a synctest bubble until the test ends.
func newProbed(t *testing.T, every time.Duration) *probed {
	t.Helper()
	p := &probed{metrics: NewMetrics(prometheus.NewRegistry())}
	start := time.Now()
	p.Prober = NewProber(ProbeConfig{
		Name: IDP, Every: every, Metrics: p.metrics, Log: slog.New(slog.NewTextHandler(&p.log, nil)),
		Ask: func(ctx context.Context) error {
			p.mu.Lock()
			ask := p.ask
			p.times = append(p.times, time.Since(start).Round(100*time.Millisecond))
			p.mu.Unlock()
			if ask == nil {
				return nil
			}
			return ask(ctx)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return p
}

// pass lets fake time pass; it must run in a synctest bubble.
func (p *probed) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (p *probed) up() bool { return testutil.ToFloat64(p.metrics.up.WithLabelValues("idp")) == 1 }

func down(context.Context) error { return errors.New("refused") }

func TestProberSeesRecoveryWithoutACall(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(context.Context) error{
		"refused":   down,
		"silent":    func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a panic":   func(context.Context) error { panic("upset") },
		"cut short": func(context.Context) error { return context.Canceled },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newProbed(t, 30*time.Second)
				if h := p.metrics.Health(IDP); !h.Known || !h.OK || len(p.asked()) != 1 {
					t.Fatalf("at the start: %+v", h)
				}
				p.answer(ask)
				p.pass(time.Minute)
				if h := p.metrics.Health(IDP); p.up() || h.OK || h.Detail == "" {
					t.Errorf("while it is down: %+v", h)
				}
				p.answer(nil)
				p.pass(probeBackOff + ProbeLimit)
				if h := p.metrics.Health(IDP); !p.up() || !h.OK || h.Detail != "answers" {
					t.Errorf("after it came back: %+v", h)
				}
				if text := p.log.String(); strings.Count(text, "\n") != 2 {
					t.Errorf("logged:\n%s", text)
				}
			})
		})
	}
}

func TestProberProbesAtOnceAndAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbed(t, 30*time.Second)
		p.pass(5 * time.Second)
		p.answer(down)
		for range 1000 {
			p.metrics.Observe(IDP, Call{Op: OpToken, Result: Failed})
		}
		synctest.Wait()
		if p.up() || len(p.asked()) != 2 || p.asked()[1] != 5*time.Second {
			t.Errorf("after a fault: up %v, asked at %v", p.up(), p.asked())
		}
		p.answer(nil)
		p.pass(2 * time.Second)
		if !p.up() {
			t.Errorf("a second later: asked at %v", p.asked())
		}
		before := len(p.asked())
		for range 100 { // a page that always fails, for ten seconds
			p.metrics.Observe(IDP, Call{Op: OpToken, Result: ServerError})
			p.pass(100 * time.Millisecond)
		}
		if n := len(p.asked()) - before; !p.up() || n < 9 || n > 11 {
			t.Errorf("up %v, asked %d times in ten seconds", p.up(), n)
		}
	})
}

func TestProberBacksOffWhileDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbed(t, 30*time.Second)
		p.answer(down)
		p.Suspect()
		for range 350 { // calls of visitors keep failing, which changes nothing
			p.pass(100 * time.Millisecond)
			p.metrics.Observe(IDP, Call{Op: OpToken, Result: Timeout})
		}
		if n := len(p.asked()); n < 6 || n > 8 {
			t.Errorf("asked at %v", p.asked())
		}
	})
}

func TestProberOfCallsOnlyAsksWhenACallFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbed(t, 0)
		p.pass(time.Hour)
		if len(p.asked()) != 0 {
			t.Errorf("asked at %v", p.asked())
		}
		p.answer(down)
		p.metrics.Observe(IDP, Call{Op: OpToken, Result: ServerError})
		p.pass(time.Minute)
		if p.up() {
			t.Error("a dependency that is down is up")
		}
		p.answer(nil)
		p.pass(probeBackOff)
		if !p.up() {
			t.Error("a dependency that came back is down")
		}
		n := len(p.asked())
		p.pass(time.Hour)
		if len(p.asked()) != n {
			t.Errorf("asked at %v", p.asked())
		}
	})
}
