package redisclient

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func TestProbeWithoutAnAnswerWithinItsLimitHasFailed(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context) error{
		"silent":              silent,
		"silent, but obeying": silentInTime,
		"late":                func(context.Context) error { <-time.After(probeLimit + time.Millisecond); return nil },
		"refused":             says(errors.New("connection refused")),
		"a panic":             func(context.Context) error { panic("an answer that nobody expected") },
		"loading":             says(answer("LOADING Redis is loading the dataset in memory")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t)
				<-time.After(10 * time.Second)
				s.set(read, serves)
				began := time.Now()
				s.command(t.Context(), errors.New("i/o timeout"))
				for !s.breaker.open() {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > probeRest+2*probeLimit+probeAgain+10*time.Millisecond {
					t.Errorf("opened after %s", took)
				}
				<-time.After(time.Minute)
				s.set(serves, serves)
				began = time.Now()
				for s.breaker.open() {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > 2*probeLimit && name != "silent" || took > tooLate+probeRestMax {
					t.Errorf("closed after %s", took)
				}
			})
		})
	}
}

func TestProbeNoticesWithoutAnyVisitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		for _, c := range []struct {
			read, write func(context.Context) error
			want        redisTrouble
		}{
			{says(errors.New("refused")), serves, RedisDown},
			{serves, serves, RedisServes},
			{serves, says(answer("OOM")), RedisTakesNoWrites},
			{says(answer("MASTERDOWN")), serves, RedisDown},
			{serves, says(answer("MISCONF")), RedisTakesNoWrites},
			{serves, serves, RedisServes},
		} {
			s.set(c.read, c.write)
			<-time.After(2 * time.Second)
			synctest.Wait()
			if got := s.probe.state.Load().Trouble(); got != c.want || s.reports[len(s.reports)-1].Trouble() != c.want {
				t.Errorf("%d instead of %d", got, c.want)
			}
		}
	})
}

func TestProbeTakesOneFailureForABrokenConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		n := 0
		s.set(func(context.Context) error {
			if n++; n%2 == 1 {
				return errors.New("EOF")
			}
			return nil
		}, serves)
		<-time.After(time.Minute)
		synctest.Wait()
		if s.breaker.open() || len(s.reports) != 1 {
			t.Errorf("open %v after %d reports", s.breaker.open(), len(s.reports))
		}
	})
}

func TestProbeConnectsAnewAfterACommandFailed(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(context.Context) error{
		"maxclients is reached": says(answer("ERR max number of clients reached")),
		"closed at once":        says(io.EOF),
		"refused":               says(syscall.ECONNREFUSED),
		"SYNs are dropped":      silentInTime,
		"silent":                silent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore(t)
				<-time.After(10 * time.Second)
				if n := s.connects.Load(); n != 1 { // at the start
					t.Errorf("%d new connections while all is well", n)
				}
				s.accept(connect)
				<-time.After(time.Minute)
				if s.breaker.open() {
					t.Error("opened although no command failed")
				}
				began := time.Now()
				s.command(t.Context(), errors.New("EOF"))
				for !s.breaker.open() && time.Since(began) < time.Minute {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > probeRest+2*probeLimit+probeAgain+10*time.Millisecond {
					t.Errorf("opened after %s", took)
				}
				<-time.After(time.Minute)
				if !s.breaker.open() {
					t.Error("closed while no new connection can be made")
				}
				s.accept(serves)
				<-time.After(tooLate + 2*probeRestMax)
				synctest.Wait()
				if s.breaker.open() || len(s.reports) != 3 {
					t.Errorf("afterwards: open %v after %d reports", s.breaker.open(), len(s.reports))
				}
			})
		})
	}
}

func TestLackOfFileDescriptorsIsNoFaultOfRedis(t *testing.T) {
	t.Parallel()
	dialing := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", err)} }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {dialing(syscall.EMFILE), false}, {dialing(syscall.ENFILE), false},
		{dialing(syscall.ECONNREFUSED), true}, {io.EOF, true}, {answer("NOAUTH"), true},
	} {
		if got := connectFault(c.err) != nil; got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

func TestProbeConnectsAnewEachTimeItIsAsked(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	cfg := DefaultConfig()
	cfg.Mode, cfg.URLs = "single", []string{"redis://" + server.Addr()}
	clients, err := Open(cfg, Deps{
		Credentials: func() (string, string) { return "", "" }, Report: func(ProbeState) {}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { clients.Close() })
	for i := range 3 {
		if err := clients.Probe.connect(t.Context()); err != nil {
			t.Error(err)
		}
		if stats := clients.oneShot.PoolStats(); stats.Hits != 0 || int(stats.Misses) != i+1 || stats.TotalConns != 0 {
			t.Errorf("time %d: %+v", i, stats)
		}
	}
}
