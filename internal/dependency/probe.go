package dependency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// ProbeConfig says how a dependency is probed.
type ProbeConfig struct {
	Name    Name
	Ask     func(context.Context) error // returns nil when the dependency answers
	First   time.Duration               // until the first probe
	Every   time.Duration               // between two probes while it answers; 0 = only when calls contradict Health
	Metrics *Metrics
	Log     *slog.Logger
}

// Bounds of probing.
const (
	ProbeLimit   = 5 * time.Second  // a probe without an answer within it has failed
	probeGap     = time.Second      // between two probes at least
	probeBackOff = 10 * time.Second // between two probes at most while the dependency is down
)

// Prober asks one dependency in the background whether it answers. It alone decides whether the dependency counts as
// up. How a call for a visitor ended may only start a probe: the visitor chose the address, and can make a page fail or
// hang that says nothing about the rest.
type Prober struct {
	cfg  ProbeConfig
	wake chan struct{}
}

// NewProber makes a Prober; it asks nothing before Run. From now on the dependency's metrics start a probe when a call
// contradicts what is known.
func NewProber(cfg ProbeConfig) *Prober {
	p := &Prober{cfg: cfg, wake: make(chan struct{}, 1)}
	cfg.Metrics.watch(cfg.Name, p.Suspect)
	return p
}

// Suspect asks for a probe soon. It never waits, and many calls are one.
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
		select { // what happened so far is answered by this probe
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
		if !pauseFor(ctx, probeGap) || !p.wait(ctx, pause) {
			return
		}
	}
}

// wait returns after a time, negative = for ever, or when a probe is wanted; it reports false when ctx ended.
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

func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// probe asks once. A panic is an answer that cannot be read: it must not end the process.
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

// report notes what a probe found, and logs it when it changed.
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
