package redisclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// answer is what Redis says when it refuses a command.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

// store is a Redis that does what it is told to, for the probe and for visitors.
type store struct {
	read, write atomic.Pointer[func(context.Context) error]
	connect     atomic.Pointer[func(context.Context) error]
	reads       atomic.Int64
	connects    atomic.Int64
	breaker     *breaker
	probe       *Probe
	reports     []ProbeState
}

func serves(context.Context) error { return nil }

func says(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// silent answers far too late, and its client pays no attention to the limit.
func silent(context.Context) error {
	<-time.After(tooLate)
	return nil
}

const tooLate = 5 * time.Second

// silentInTime gives up at the limit.
func silentInTime(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func newStore(t *testing.T) *store {
	s := &store{breaker: newBreaker()}
	s.probe = newProbe(s.breaker, func(found ProbeState) { s.reports = append(s.reports, found) }, slog.New(slog.DiscardHandler))
	s.probe.read = func(ctx context.Context) error { s.reads.Add(1); return (*s.read.Load())(ctx) }
	s.probe.write = func(ctx context.Context) error { return (*s.write.Load())(ctx) }
	s.probe.connect = func(ctx context.Context) error { s.connects.Add(1); return (*s.connect.Load())(ctx) }
	s.set(serves, serves)
	s.accept(serves)
	ctx, stop := context.WithCancel(t.Context())
	go s.probe.Run(ctx)
	t.Cleanup(func() {
		stop()
		<-time.After(tooLate) // until nothing is under way
	})
	return s
}

func (s *store) set(read, write func(context.Context) error) {
	s.read.Store(&read)
	s.write.Store(&write)
}

// accept decides what becomes of new connections.
func (s *store) accept(connect func(context.Context) error) { s.connect.Store(&connect) }

// command is one of a visitor's, that ends with err.
func (s *store) command(ctx context.Context, err error) error {
	hook := s.breaker.ProcessHook(func(context.Context, redis.Cmder) error { return err })
	pipeline := s.breaker.ProcessPipelineHook(func(context.Context, []redis.Cmder) error { return err })
	one := redis.NewStatusCmd(ctx, "get", "x")
	return errors.Join(hook(ctx, one), pipeline(ctx, []redis.Cmder{one}))
}

// visitorErrors are ends of a command that a visitor can bring about, or that say nothing about Redis as a whole.
var visitorErrors = []error{
	nil, redis.Nil, context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded, redis.ErrPoolTimeout,
	errors.New("EOF"), answer("WRONGTYPE Operation against a key"), answer("CROSSSLOT Keys in request"),
	answer("NOPERM this user"), answer("ERR out of range"), answer("LOADING Redis is loading"),
	answer("OOM command not allowed"), answer("CLUSTERDOWN The cluster is down"), answer("READONLY You can't"),
}

func TestBreakerIsMovedByTheProbeAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			s := newStore(t)
			for range 30 {
				synctest.Wait()
				changes := len(s.reports)
				want := s.befall(rng)
				for range 100 { // longer than anything that is silent
					s.visit(rng)
					<-time.After(time.Duration(rng.IntN(200)) * time.Millisecond)
				}
				<-time.After(tooLate)
				s.visit(rng)
				synctest.Wait()
				got := s.probe.state.Load().Trouble()
				if got != want || s.breaker.open() != (want == RedisDown) || len(s.reports) > changes+1 {
					t.Fatalf("seed %d: Redis is in state %d; the probe found %d after %d changes, open %v",
						seed, want, got, len(s.reports)-changes, s.breaker.open())
				}
			}
		})
	}
}

// befall brings Redis into a random state.
func (s *store) befall(rng *rand.Rand) redisTrouble {
	down := []func(context.Context) error{silent, silentInTime, says(answer("NOAUTH")), says(errors.New("refused"))}
	full := []func(context.Context) error{silentInTime, says(answer("READONLY")), says(answer("OOM"))}
	trouble := redisTrouble(rng.IntN(3))
	switch trouble {
	case RedisDown:
		s.set(down[rng.IntN(len(down))], serves)
	case RedisTakesNoWrites:
		s.set(serves, full[rng.IntN(len(full))])
	default:
		s.set(serves, serves)
	}
	return trouble
}

// visit is a few commands of visitors, each with its own end.
func (s *store) visit(rng *rand.Rand) {
	for range rng.IntN(20) {
		ctx, cancel := context.WithCancel(context.Background())
		if rng.IntN(2) == 0 {
			cancel()
		}
		s.command(ctx, visitorErrors[rng.IntN(len(visitorErrors))])
		cancel()
	}
}

func TestBreakerStaysClosedWhateverVisitorsDo(t *testing.T) {
	t.Parallel()
	for _, err := range visitorErrors {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t)
				for range 50 {
					for range 200 {
						s.command(t.Context(), err)
					}
					<-time.After(10 * time.Millisecond)
				}
				synctest.Wait()
				if s.breaker.open() || len(s.reports) != 1 {
					t.Errorf("open %v after %d reports", s.breaker.open(), len(s.reports))
				}
				if n := s.reads.Load(); n > 10 { // 20,000 failures in half a second start at most a probe each 100 ms
					t.Errorf("%d probes", n)
				}
			})
		})
	}
}
