package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// runLoad compares a Redis with a million sessions to one with a thousand, using the cookies of ten thousand of them.
func runLoad(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	many := flags.Int("sessions", 1_000_000, "sessions in the full Redis")
	few := flags.Int("few", 1_000, "sessions in the other Redis")
	visitors := flags.Int("visitors", 10_000, "sessions that send requests")
	rounds := flags.Int("rounds", 9, "measurements per side; the median counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newTestbed(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, origin, err := s.startSelf("origin")
	if err != nil {
		return err
	}
	empty, err := s.side(sideConfig{name: "few", origin: origin, sessions: *few, visitors: *visitors})
	if err != nil {
		return err
	}
	full, err := s.side(sideConfig{name: "many", origin: origin, sessions: *many, visitors: *visitors})
	if err != nil {
		return err
	}
	fmt.Printf("Redis memory per session, including indexes: %.0f bytes with %d, %.0f bytes with %d; record: %.0f\n",
		empty.bytes, *few, full.bytes, *many, full.record)
	for round := range *rounds + 1 {
		for _, side := range [2]*side{empty, full} {
			if err := side.measure(ctx, *visitors, round > 0); err != nil {
				return err
			}
		}
	}
	for _, what := range []string{"hubgate", "redis"} {
		ratios := make([]float64, *rounds)
		for i := range ratios {
			ratios[i] = float64(full.cpu[what][i]) / float64(empty.cpu[what][i])
		}
		fmt.Printf("CPU of %-7s per request that reads Redis: %.1f µs with %d sessions, %.1f µs with %d; "+
			"median ratio %.2f (%.2f to %.2f)\n", what,
			float64(quantile(empty.cpu[what], 0.5))/1e3, *few, float64(quantile(full.cpu[what], 0.5))/1e3, *many,
			quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75))
	}
	return nil
}

// side is a gateway with its own Redis.
type side struct {
	gateway       *gateway
	redis         *process
	generator     *generator
	requests      [][]byte
	bytes, record float64 // per session
	cpu           map[string][]time.Duration
}

type sideConfig struct {
	name, origin       string
	sessions, visitors int
}

// side fills a Redis and starts a gateway with it. With cache_ttl none every request reads the session from Redis.
func (t *testbed) side(c sideConfig) (*side, error) {
	d := &side{cpu: map[string][]time.Duration{}}
	var addr string
	var err error
	if d.redis, addr, err = t.redis(); err != nil {
		return nil, err
	}
	key := newKey()
	d.gateway, err = t.gateway(gatewayConfig{name: c.name, origin: c.origin, redis: addr, key: key, issuer: issuer,
		cacheTTL: "none"})
	if err != nil {
		return nil, err
	}
	r, err := newSessionStarter(key, addr, d.gateway.host)
	if err != nil {
		return nil, err
	}
	defer r.close()
	before, err := r.memory(t.ctx)
	if err != nil {
		return nil, err
	}
	cookies, err := r.fill(t.ctx, c.sessions, c.visitors)
	if err != nil {
		return nil, err
	}
	after, err := r.memory(t.ctx)
	if err != nil {
		return nil, err
	}
	d.bytes = (after - before) / float64(c.sessions)
	for _, cookie := range cookies {
		d.requests = append(d.requests, get(d.gateway.host, "/members/handbook", cookie))
	}
	if d.generator, err = newGenerator(d.gateway.addr, 64); err != nil {
		return nil, err
	}
	if err := d.measure(t.ctx, len(d.requests), false); err != nil { // open all connections
		return nil, err
	}
	sum, err := metric(t.ctx, d.gateway.admin, "hubgate_session_record_bytes_sum")
	if err != nil {
		return nil, err
	}
	n, err := metric(t.ctx, d.gateway.admin, "hubgate_session_record_bytes_count")
	d.record = sum / n
	return d, err
}

// memory returns the size of Redis' data, as reported by Redis.
func (s *sessionStarter) memory(ctx context.Context) (float64, error) {
	info, err := s.rdb.Info(ctx, "memory").Result()
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "used_memory_dataset:"); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("redis reports no memory usage: %w", err)
}

// fill logs visitors in and returns the cookies of some of them, evenly spread.
func (s *sessionStarter) fill(ctx context.Context, sessions, keep int) ([]string, error) {
	began, next, done := time.Now(), atomic.Int64{}, atomic.Int64{}
	every := max(1, sessions/keep)
	cookies := make([]string, min(keep, sessions))
	group, ctx := errgroup.WithContext(ctx)
	for range 16 * runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < sessions; i = int(next.Add(1)) - 1 {
				cookie, err := s.login(ctx, i)
				if err != nil {
					return err
				}
				if i%every == 0 && i/every < len(cookies) {
					cookies[i/every] = cookie
				}
				if n := done.Add(1); n%100_000 == 0 {
					fmt.Printf("%d sessions after %s\n", n, time.Since(began).Round(time.Second))
				}
			}
			return nil
		})
	}
	return cookies, group.Wait()
}

// measure sends one request per cookie and records the CPU time of gateway and Redis.
func (d *side) measure(ctx context.Context, requests int, keep bool) error {
	parts := map[string]*process{"hubgate": d.gateway.process, "redis": d.redis}
	before := map[string]time.Duration{}
	for name, p := range parts {
		var err error
		if before[name], err = p.cpu(); err != nil {
			return err
		}
	}
	if err := d.generator.send(ctx, requests, func(i int) []byte { return d.requests[i%len(d.requests)] }); err != nil {
		return fmt.Errorf("%w\n%s", err, d.gateway.output())
	}
	for name, p := range parts {
		after, err := p.cpu()
		if err != nil {
			return err
		}
		if keep {
			d.cpu[name] = append(d.cpu[name], (after-before[name])/time.Duration(requests))
		}
	}
	return nil
}
