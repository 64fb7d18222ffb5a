package dependency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// ProbeConfig configures a Prober.
type ProbeConfig struct {
	Name    Name
	Ask     func(context.Context) error // returns nil if the dependency answers
	First   time.Duration               // until the first probe
	Every   time.Duration               // between two probes while it answers; 0 = only when calls contradict Health
	Metrics *Metrics
	Log     *slog.Logger
}

// Limits of probing.
const (
	ProbeLimit   = 5 * time.Second  // of one probe
	probeGap     = time.Second      // the shortest time between two probes
	probeBackOff = 10 * time.Second // the longest time between two probes while the dependency is down
)

// Prober checks in the background whether one dependency answers. It alone decides whether the dependency counts as up.
// The result of a call for a visitor can only start a probe: visitors choose the address, and one page that fails or
// hangs is no evidence about the others.
type Prober struct {
	cfg  ProbeConfig
	wake chan struct{}
}

// NewProber returns a Prober, which probes nothing before Run. From now on the dependency's metrics start a probe when
// the result of a call contradicts its health.
func NewProber(cfg ProbeConfig) *Prober {
	p := &Prober{cfg: cfg, wake: make(chan struct{}, 1)}
	cfg.Metrics.watch(cfg.Name, p.Suspect)
	return p
}

// Suspect requests a probe soon. It never waits, and several calls are one request.
func (p *Prober) Suspect() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run probes until ctx ends.
func (p *Prober) Run(ctx context.Context) {
	first := p.cfg.First
	if p.cfg.Every == 0 {
		first = -1
	}
	if !p.wait(ctx, first) {
		return
	}
	for failures := 0; ; {
		select { // this probe covers the requests so far
		case <-p.wake:
		default:
		}
		err := p.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := time.Duration(-1)
		switch {
		case err != nil:
			pause = min(probeGap<<min(failures, 10), probeBackOff)
			failures++
		case p.cfg.Every > 0:
			failures, pause = 0, p.cfg.Every*9/10+rand.N(p.cfg.Every/5)
		default:
			failures = 0
		}
		p.report(err, pause)
		if pause > 0 {
			pause -= probeGap
		}
		if !background.Sleep(ctx, probeGap) || !p.wait(ctx, pause) {
			return
		}
	}
}

// wait waits until a probe is due or requested, and reports whether that happened before ctx ended. A negative pause
// means that none is due.
func (p *Prober) wait(ctx context.Context, pause time.Duration) bool {
	var due <-chan time.Time
	if pause >= 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-due:
	case <-p.wake:
	}
	return true
}

// probe probes once. A panic counts as a failure: it must not end the process.
func (p *Prober) probe(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, ProbeLimit)
	defer cancel()
	err = p.cfg.Ask(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", ProbeLimit, err)
	}
	return err
}

// report saves the result of a probe and logs a change.
func (p *Prober) report(err error, pause time.Duration) {
	was := p.cfg.Metrics.Health(p.cfg.Name)
	if err == nil {
		p.cfg.Metrics.SetUp(p.cfg.Name, true, "answers")
		if was.Known && !was.OK {
			p.cfg.Log.Info("a dependency answers again", "name", string(p.cfg.Name))
		}
		return
	}
	p.cfg.Metrics.SetUp(p.cfg.Name, false, err.Error())
	if was.OK {
		p.cfg.Log.Warn("a dependency does not answer", "name", string(p.cfg.Name), "error", err,
			"next_try_in", pause.String())
	}
}
