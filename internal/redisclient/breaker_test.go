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

// reply is an error reply of Redis.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

// server is a Redis whose replies to the probe and to visitors a test sets.
type server struct {
	read, write atomic.Pointer[func(context.Context) error]
	connect     atomic.Pointer[func(context.Context) error]
	reads       atomic.Int64
	connects    atomic.Int64
	breaker     *breaker
	probe       *Probe
	reports     []Result
}

func ok(context.Context) error { return nil }

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// silent replies far too late, and its client ignores the context.
func silent(context.Context) error {
	<-time.After(tooLate)
	return nil
}

const tooLate = 5 * time.Second

// silentUntilCanceled gives no reply, and its client returns when the context ends.
func silentUntilCanceled(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func newServer(t *testing.T) *server {
	s := &server{breaker: newBreaker()}
	s.probe = newProbe(s.breaker, func(r Result) { s.reports = append(s.reports, r) }, slog.New(slog.DiscardHandler))
	s.probe.read = func(ctx context.Context) error { s.reads.Add(1); return (*s.read.Load())(ctx) }
	s.probe.write = func(ctx context.Context) error { return (*s.write.Load())(ctx) }
	s.probe.connect = func(ctx context.Context) error { s.connects.Add(1); return (*s.connect.Load())(ctx) }
	s.set(ok, ok)
	s.setConnect(ok)
	ctx, stop := context.WithCancel(t.Context())
	go s.probe.Run(ctx)
	t.Cleanup(func() {
		stop()
		<-time.After(tooLate) // until no query is in flight
	})
	return s
}

func (s *server) set(read, write func(context.Context) error) {
	s.read.Store(&read)
	s.write.Store(&write)
}

// setConnect sets what happens to new connections.
func (s *server) setConnect(connect func(context.Context) error) { s.connect.Store(&connect) }

// command runs a visitor's command, which returns err.
func (s *server) command(ctx context.Context, err error) error {
	hook := s.breaker.ProcessHook(func(context.Context, redis.Cmder) error { return err })
	pipeline := s.breaker.ProcessPipelineHook(func(context.Context, []redis.Cmder) error { return err })
	one := redis.NewStatusCmd(ctx, "get", "x")
	return errors.Join(hook(ctx, one), pipeline(ctx, []redis.Cmder{one}))
}

// visitorErrors are errors that a visitor can cause, or that say nothing about Redis as a whole.
var visitorErrors = []error{
	nil, redis.Nil, context.DeadlineExceeded, context.Canceled, os.ErrDeadlineExceeded, redis.ErrPoolTimeout,
	errors.New("EOF"), reply("WRONGTYPE Operation against a key"), reply("CROSSSLOT Keys in request"),
	reply("NOPERM this user"), reply("ERR out of range"), reply("LOADING Redis is loading"),
	reply("OOM command not allowed"), reply("CLUSTERDOWN The cluster is down"), reply("READONLY You can't"),
}

func TestBreakerFollowsTheProbeAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			s := newServer(t)
			for range 30 {
				synctest.Wait()
				changes := len(s.reports)
				want := s.setRandomStatus(rng)
				for range 100 { // longer than anything that is silent
					s.visit(rng)
					<-time.After(time.Duration(rng.IntN(200)) * time.Millisecond)
				}
				<-time.After(tooLate)
				s.visit(rng)
				synctest.Wait()
				got := s.probe.last.Load().Status()
				if got != want || s.breaker.open.Load() != (want == Down) || len(s.reports) > changes+1 {
					t.Fatalf("seed %d: Redis has status %d; the probe found %d after %d changes, open %v",
						seed, want, got, len(s.reports)-changes, s.breaker.open.Load())
				}
			}
		})
	}
}

// setRandomStatus gives Redis a random status and returns it.
func (s *server) setRandomStatus(rng *rand.Rand) Status {
	down := []func(context.Context) error{
		silent, silentUntilCanceled, fails(reply("NOAUTH")), fails(errors.New("refused")),
	}
	refusing := []func(context.Context) error{silentUntilCanceled, fails(reply("READONLY")), fails(reply("OOM"))}
	status := Status(rng.IntN(3))
	switch status {
	case Down:
		s.set(down[rng.IntN(len(down))], ok)
	case ReadOnly:
		s.set(ok, refusing[rng.IntN(len(refusing))])
	default:
		s.set(ok, ok)
	}
	return status
}

// visit runs a few commands of visitors, each with a different error.
func (s *server) visit(rng *rand.Rand) {
	for range rng.IntN(20) {
		ctx, cancel := context.WithCancel(context.Background())
		if rng.IntN(2) == 0 {
			cancel()
		}
		s.command(ctx, visitorErrors[rng.IntN(len(visitorErrors))])
		cancel()
	}
}

func TestBreakerStaysClosedWhateverVisitorsSend(t *testing.T) {
	t.Parallel()
	for _, err := range visitorErrors {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				for range 50 {
					for range 200 {
						s.command(t.Context(), err)
					}
					<-time.After(10 * time.Millisecond)
				}
				synctest.Wait()
				if s.breaker.open.Load() || len(s.reports) != 1 {
					t.Errorf("open %v after %d reports", s.breaker.open.Load(), len(s.reports))
				}
				if n := s.reads.Load(); n > 10 { // 20,000 failures in half a second start at most a probe each 100 ms
					t.Errorf("%d probes", n)
				}
			})
		})
	}
}
