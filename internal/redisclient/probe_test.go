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

func TestProbeFailsWithoutAReplyInTime(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context) error{
		"silent":                silent,
		"silent until canceled": silentUntilCanceled,
		"late":                  func(context.Context) error { <-time.After(queryTimeout + time.Millisecond); return nil },
		"refused":               fails(errors.New("connection refused")),
		"a panic":               func(context.Context) error { panic("an unexpected reply") },
		"loading":               fails(reply("LOADING Redis is loading the dataset in memory")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				<-time.After(10 * time.Second)
				s.set(read, ok)
				began := time.Now()
				s.command(t.Context(), errors.New("i/o timeout"))
				for !s.breaker.open.Load() {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > minProbePause+2*queryTimeout+recheckAfter+10*time.Millisecond {
					t.Errorf("opened after %s", took)
				}
				<-time.After(time.Minute)
				s.set(ok, ok)
				began = time.Now()
				for s.breaker.open.Load() {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > 2*queryTimeout && name != "silent" || took > tooLate+maxProbePause {
					t.Errorf("closed after %s", took)
				}
			})
		})
	}
}

func TestProbeNeedsNoVisitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		for _, c := range []struct {
			read, write func(context.Context) error
			want        Status
		}{
			{fails(errors.New("refused")), ok, Down},
			{ok, ok, Serving},
			{ok, fails(reply("OOM")), ReadOnly},
			{fails(reply("MASTERDOWN")), ok, Down},
			{ok, fails(reply("MISCONF")), ReadOnly},
			{ok, ok, Serving},
		} {
			s.set(c.read, c.write)
			<-time.After(2 * time.Second)
			synctest.Wait()
			if got := s.probe.last.Load().Status(); got != c.want || s.reports[len(s.reports)-1].Status() != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
		}
	})
}

func TestProbeIgnoresASingleFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		n := 0
		s.set(func(context.Context) error {
			if n++; n%2 == 1 {
				return errors.New("EOF")
			}
			return nil
		}, ok)
		<-time.After(time.Minute)
		synctest.Wait()
		if s.breaker.open.Load() || len(s.reports) != 1 {
			t.Errorf("open %v after %d reports", s.breaker.open.Load(), len(s.reports))
		}
	})
}

func TestProbeMakesANewConnectionAfterAFailedCommand(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(context.Context) error{
		"maxclients is reached": fails(reply("ERR max number of clients reached")),
		"closed at once":        fails(io.EOF),
		"refused":               fails(syscall.ECONNREFUSED),
		"SYNs are dropped":      silentUntilCanceled,
		"silent":                silent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				<-time.After(10 * time.Second)
				if n := s.connects.Load(); n != 1 { // at the start
					t.Errorf("%d new connections while Redis serves", n)
				}
				s.setConnect(connect)
				<-time.After(time.Minute)
				if s.breaker.open.Load() {
					t.Error("opened although no command failed")
				}
				began := time.Now()
				s.command(t.Context(), errors.New("EOF"))
				for !s.breaker.open.Load() && time.Since(began) < time.Minute {
					<-time.After(time.Millisecond)
				}
				if took := time.Since(began); took > minProbePause+2*queryTimeout+recheckAfter+10*time.Millisecond {
					t.Errorf("opened after %s", took)
				}
				<-time.After(time.Minute)
				if !s.breaker.open.Load() {
					t.Error("closed while no new connection can be made")
				}
				s.setConnect(ok)
				<-time.After(tooLate + 2*maxProbePause)
				synctest.Wait()
				if s.breaker.open.Load() || len(s.reports) != 3 {
					t.Errorf("afterwards: open %v after %d reports", s.breaker.open.Load(), len(s.reports))
				}
			})
		})
	}
}

func TestConnectErrorIgnoresLackOfFileDescriptors(t *testing.T) {
	t.Parallel()
	dialing := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", err)} }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false}, {dialing(syscall.EMFILE), false}, {dialing(syscall.ENFILE), false},
		{dialing(syscall.ECONNREFUSED), true}, {io.EOF, true}, {reply("NOAUTH"), true},
	} {
		if got := connectError(c.err) != nil; got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

func TestProbeKeepsNoConnectionOfItsConnectQuery(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	cfg := DefaultConfig()
	cfg.Mode, cfg.URLs = "single", []string{"redis://" + server.Addr()}
	clients, err := Open(cfg, Deps{
		Credentials: func() (string, string) { return "", "" }, Report: func(Result) {},
		Log: slog.New(slog.DiscardHandler),
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
