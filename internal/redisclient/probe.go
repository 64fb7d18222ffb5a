package redisclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// Probe is how hubgate finds out whether Redis serves: it reads and writes a key of its own through a connection
// of its own, so that no visitor can make it fail, slow it down or keep it from running. That one connection can work
// while no other can be made (maxclients is reached, a firewall drops SYNs). After a command failed, and until Redis is
// back, the probe therefore connects anew as well. It alone moves the breaker, the health check and the metric.
type Probe struct {
	read, write func(context.Context) error
	connect     func(context.Context) error // reads through a new connection
	breaker     *breaker
	report      func(ProbeState)
	log         *slog.Logger

	state   atomic.Pointer[ProbeState]
	pending chan error // a question whose limit has passed and that has not returned yet
}

// ProbeState is what the probe last found.
type ProbeState struct {
	Down    error     // there is no answer, or one that says that Redis cannot serve
	Refusal error     // reads are served and writes are not
	since   time.Time // zero until Redis was asked
}

const (
	probeEvery   = time.Second            // while all is well
	probeLimit   = 500 * time.Millisecond // no answer by then is a failure
	probeAgain   = 50 * time.Millisecond  // a first failure may be a connection that broke while it was idle
	probeRest    = 100 * time.Millisecond // the shortest pause between two probes, and the first while Redis is down
	probeRestMax = 500 * time.Millisecond // the longest pause while Redis is down
)

// ErrSilent means that a probe had no answer within its limit.
var ErrSilent = errors.New("no answer within " + probeLimit.String())

func newProbe(b *breaker, report func(ProbeState), log *slog.Logger) *Probe {
	p := &Probe{breaker: b, report: report, log: log}
	p.state.Store(&ProbeState{})
	return p
}

// of sets the questions. A read of an own key finds more than a PING, which is answered also where a user may read
// nothing (NOPERM) and by a node of a cluster that is down (CLUSTERDOWN). The client oneShot keeps no connection.
func (p *Probe) of(rdb, oneShot redis.UniversalClient, prefix string, cluster bool) {
	key := prefix + "probe"
	keys := []string{key}
	if cluster { // a key in each quarter of the slots: a cluster is down when none of its masters answers
		keys = []string{key + ":{0}", key + ":{1}", key + ":{2}", key + ":{3}"}
	}
	p.read = func(ctx context.Context) error { return readAny(ctx, rdb, keys) }
	p.write = func(ctx context.Context) error { return fault(rdb.Set(ctx, key, "", time.Second).Err()) }
	p.connect = func(ctx context.Context) error { return connectFault(readAny(ctx, oneShot, keys)) }
}

// connectFault returns err unless it is this machine's want of file descriptors. That says nothing about Redis, and
// visitors can bring it about.
func connectFault(err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return nil
	}
	return err
}

// readAny returns nil as soon as one of the keys can be read.
func readAny(ctx context.Context, rdb redis.UniversalClient, keys []string) error {
	answers := make(chan error, len(keys))
	for _, key := range keys {
		go func() {
			answers <- recovering(func() error { return fault(rdb.GetRange(ctx, key, 0, 0).Err()) })
		}()
	}
	var err error
	for range keys {
		if err = <-answers; err == nil {
			return nil
		}
	}
	return err
}

// recovering asks a question and returns a panic of it as its failure: answers of Redis must not end the process.
func recovering(question func() error) (err error) {
	defer background.Recover(&err)
	return question()
}

// Run probes until ctx ends.
func (p *Probe) Run(ctx context.Context) {
	rest, anew := probeRest, true
	for {
		found := p.Ask(ctx, anew)
		if found.Trouble() > p.state.Load().Trouble() && pause(ctx, probeAgain) {
			found = p.Ask(ctx, anew)
		}
		if ctx.Err() != nil {
			return
		}
		p.Settle(found)
		if found.Down == nil {
			rest = probeRest
			anew = p.idle(ctx)
			continue
		}
		pause(ctx, rest)
		anew = true
		rest = min(2*rest, probeRestMax)
	}
}

// idle waits for the next probe while Redis serves: for a command's failure, or a second. It reports whether a command
// failed.
func (p *Probe) idle(ctx context.Context) bool {
	if !pause(ctx, probeRest) {
		return false
	}
	next := time.NewTimer(probeEvery - probeRest)
	defer next.Stop()
	select {
	case <-ctx.Done():
	case <-p.breaker.wake:
		return true
	case <-next.C:
	}
	return false
}

// pause reports whether d passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Ask asks each question once, that for a new connection only when anew is set. A write that has no answer is one that
// is refused, for reads have one (CLIENT PAUSE does that).
func (p *Probe) Ask(ctx context.Context, anew bool) ProbeState {
	err := p.limited(ctx, p.read)
	if err == nil && anew {
		if err = p.limited(ctx, p.connect); err != nil {
			err = fmt.Errorf("no new connection: %w", err)
		}
	}
	if err != nil {
		return ProbeState{Down: err}
	}
	return ProbeState{Refusal: p.limited(ctx, p.write)}
}

// limited asks one question within the limit, whether or not the client keeps to it. There is never more than one
// question under way.
func (p *Probe) limited(ctx context.Context, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if p.pending != nil { // its answer says how Redis was, not how it is
		select {
		case <-p.pending:
		case <-ctx.Done():
			return ErrSilent
		}
	}
	p.pending = make(chan error, 1)
	go func(answer chan<- error) {
		answer <- recovering(func() error { return question(ctx) })
	}(p.pending)
	select {
	case err := <-p.pending:
		p.pending = nil
		return err
	case <-ctx.Done():
		return ErrSilent
	}
}

// redisTrouble is how much Redis does not do, the least first.
type redisTrouble int

const (
	RedisServes redisTrouble = iota
	RedisTakesNoWrites
	RedisDown
)

func (s ProbeState) Trouble() redisTrouble {
	switch {
	case s.Down != nil:
		return RedisDown
	case s.Refusal != nil:
		return RedisTakesNoWrites
	}
	return RedisServes
}

// Found is the state of Redis for the sessions.
func (p *Probe) Found() State {
	s := p.state.Load()
	return State{Down: s.Down != nil, ReadOnly: s.Refusal != nil, Since: s.since}
}

// Settle makes what was found the state of Redis, and logs each change once.
func (p *Probe) Settle(found ProbeState) {
	last := p.state.Load()
	if !last.since.IsZero() && last.Trouble() == found.Trouble() {
		return
	}
	found.since = time.Now()
	p.state.Store(&found)
	p.breaker.opened.Store(found.Down != nil)
	p.report(found)
	switch {
	case found.Down != nil && refusesUs(found.Down):
		p.log.Error("redis refuses us: fix the user, password or ACL of session.redis", "error", found.Down)
	case found.Down != nil:
		p.log.Error("redis is unavailable; known sessions go on within session.outage_grace", "error", found.Down)
	case found.Refusal != nil:
		p.log.Error("redis takes no writes: sessions go on, logins fail", "error", found.Refusal)
	case last.Down != nil:
		p.log.Info("redis is back")
	case last.Refusal != nil:
		p.log.Info("redis takes writes again")
	}
}

// refusesUs reports whether Redis does not know us, or does not let us do what we need.
func refusesUs(err error) bool {
	for _, word := range []string{"NOAUTH", "WRONGPASS", "NOPERM"} {
		if strings.Contains(err.Error(), word) {
			return true
		}
	}
	return false
}
