package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/hubgate/hubgate/session"
)

// runRevoke ends sessions on one replica and measures when another one, which has them in its cache, rejects them.
func runRevoke(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("revoke", flag.ContinueOnError)
	count := flags.Int("sessions", 1000, "sessions to end, one after the other")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newTestbed(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, redisAddr, err := s.redis()
	if err != nil {
		return err
	}
	key := newKey()
	front, err := newReplica(key, redisAddr)
	if err != nil {
		return err
	}
	defer front.close()
	other, err := newReplica(key, redisAddr)
	if err != nil {
		return err
	}
	defer other.close()
	took := make([]time.Duration, 0, *count)
	for i := range *count + 10 {
		d, err := endOne(ctx, front, other, i)
		if err != nil {
			return err
		}
		if i >= 10 { // the first ones only open connections
			took = append(took, d)
		}
	}
	fmt.Printf("%d sessions ended on one replica; time until the other one dropped them:\n"+
		"  median %v   p99 %v   max %v   (promised: p99 under 10ms)\n",
		len(took), quantile(took, 0.5), quantile(took, 0.99), slices.Max(took))
	return nil
}

// replica is the session manager of one gateway.
type replica struct {
	*sessionStarter
	stop func()
}

func newReplica(key, redisAddr string) (*replica, error) {
	r, err := newSessionStarter(key, redisAddr, "localhost")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.manager.Run(ctx) }()
	return &replica{r, func() { cancel(); <-done }}, nil
}

func (r *replica) close() {
	r.stop()
	r.sessionStarter.close()
}

// endOne returns the time from ending a session on one replica to its end on the other.
func endOne(ctx context.Context, front, other *replica, i int) (time.Duration, error) {
	cookie, err := front.login(ctx, i)
	if err != nil {
		return 0, err
	}
	s, err := other.load(ctx, cookie)
	if err != nil {
		return 0, err
	}
	gone, release := other.manager.Ended(s.Ref)
	defer release()
	began := time.Now()
	if ended, err := front.manager.EndRef(ctx, s.Ref); err != nil || !ended {
		return 0, fmt.Errorf("end a session: %v %w", ended, err)
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		return 0, fmt.Errorf("session %d was not ended on the other replica", i)
	}
	took := time.Since(began)
	if _, err := other.load(ctx, cookie); err == nil {
		return 0, fmt.Errorf("session %d is still accepted", i)
	}
	return took, nil
}

// load loads the session of a cookie, like a request.
func (s *sessionStarter) load(ctx context.Context, cookie string) (*session.Session, error) {
	req, err := s.request(ctx, cookie)
	if err != nil {
		return nil, err
	}
	return s.manager.Load(discardWriter{}, req)
}

// discardWriter discards a response.
type discardWriter struct{ io.Writer }

func (discardWriter) Header() http.Header             { return http.Header{} }
func (discardWriter) WriteHeader(int)                 {}
func (discardWriter) Write(p []byte) (n int, _ error) { return len(p), nil }
