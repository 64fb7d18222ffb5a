package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// subject is a server whose processor time is measured.
type subject struct {
	name    string
	bound   string // what docs/performance.md promises
	process *process
	addr    string
	admin   string // of a gateway, for profiles
	request func(i int) []byte
	hammer  *hammer
	used    []time.Duration // per request, one a round
}

// signedIn compares hubgate with the bare proxy, round by round.
func signedIn(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("signedin", flag.ContinueOnError)
	rounds := flags.Int("rounds", 21, "how often each subject is measured; the median counts")
	requests := flags.Int("requests", 2000, "requests of one measurement")
	conns := flags.Int("connections", 64, "keep-alive connections to each subject")
	profiles := flags.String("profiles", "", "folder for a CPU profile of each gateway, made after the rounds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newStage(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	subjects, err := s.subjects(*conns)
	if err != nil {
		return err
	}
	for round := range *rounds + 1 { // the first warms up
		for i := range subjects {
			sub := subjects[(i+round)%len(subjects)]
			used, err := sub.measure(ctx, *requests)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", sub.name, err, sub.process.said())
			}
			if round > 0 {
				sub.used = append(sub.used, used)
			}
		}
	}
	report(subjects)
	if *profiles != "" {
		return profileAll(ctx, subjects, *profiles)
	}
	return nil
}

// subjects starts them all: they live side by side, and are asked one after the other.
func (s *stage) subjects(conns int) ([]*subject, error) {
	_, origin, err := s.role("origin")
	if err != nil {
		return nil, err
	}
	bare, bareAddr, err := s.role("bare", origin)
	if err != nil {
		return nil, err
	}
	_, redisAddr, err := s.redis()
	if err != nil {
		return nil, err
	}
	plain := get(site(bareAddr), "/members/handbook", "")
	subjects := []*subject{{name: "bare tuned reverse proxy", process: bare, addr: bareAddr, request: func(int) []byte { return plain }}}
	for _, v := range []struct {
		name, path, ttl, bound string
		access                 bool
	}{
		{"public page", "/pricing", "5s", "", false},
		{"public page, access log", "/pricing", "5s", "", true},
		{"signed in, cached", "/members/handbook", "5s", "1.10", false},
		{"signed in, cached, access log", "/members/handbook", "5s", "1.10", true},
		{"signed in, cache_ttl none", "/members/handbook", "none", "1.35", false},
		{"signed in, cache_ttl none, access log", "/members/handbook", "none", "1.35", true},
	} {
		key := newKey()
		g, err := s.gateway(gatewayConfig{name: fmt.Sprint("gateway-", len(subjects)), origin: origin, redis: redisAddr, key: key, issuer: issuer, cacheTTL: v.ttl, access: v.access})
		if err != nil {
			return nil, err
		}
		requests, err := visitorsOf(s.ctx, g, visitorsConfig{key: key, redis: redisAddr, path: v.path, count: conns})
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, &subject{name: v.name, bound: v.bound, process: g.process, addr: g.addr, admin: g.admin,
			request: func(i int) []byte { return requests[i%len(requests)] }})
	}
	for _, sub := range subjects {
		if sub.hammer, err = newHammer(sub.addr, conns); err != nil {
			return nil, err
		}
		if err := sub.hammer.send(s.ctx, 10*conns, sub.request); err != nil { // a new connection has to say something soon
			return nil, fmt.Errorf("%s: %w\n%s", sub.name, err, sub.process.said())
		}
	}
	return subjects, nil
}

type visitorsConfig struct {
	key, redis, path string
	count            int
}

// visitorsOf logs visitors in and returns their requests for a page.
func visitorsOf(ctx context.Context, g *gateway, c visitorsConfig) ([][]byte, error) {
	r, err := newReception(c.key, c.redis, g.host)
	if err != nil {
		return nil, err
	}
	defer r.close()
	requests := make([][]byte, c.count)
	for i := range requests {
		cookie, err := r.login(ctx, i)
		if err != nil {
			return nil, err
		}
		requests[i] = get(g.host, c.path, cookie)
	}
	return requests, nil
}

// measure returns the processor time of one request.
func (sub *subject) measure(ctx context.Context, requests int) (time.Duration, error) {
	before, err := sub.process.cpu()
	if err != nil {
		return 0, err
	}
	if err := sub.hammer.send(ctx, requests, sub.request); err != nil {
		return 0, err
	}
	after, err := sub.process.cpu()
	return (after - before) / time.Duration(requests), err
}

// report prints each subject's processor time in the median round, and divided by the bare proxy's of the same round.
func report(subjects []*subject) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tCPU µs A REQUEST\t÷ BARE PROXY (MEDIAN)\tQUARTILES\tPROMISED")
	for _, sub := range subjects {
		ratios := make([]float64, len(sub.used))
		for i := range ratios {
			ratios[i] = float64(sub.used[i]) / float64(subjects[0].used[i])
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.2f\t%.2f to %.2f\t%s\n", sub.name, float64(quantile(sub.used, 0.5))/1e3,
			quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), sub.bound)
	}
	table.Flush()
}

// quantile is the value below which the share q of the values lies.
func quantile[T ~int64 | ~float64](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// profileAll keeps each gateway busy while it is being profiled.
func profileAll(ctx context.Context, subjects []*subject, folder string) error {
	for i, sub := range subjects {
		if sub.admin == "" {
			continue
		}
		busy, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); sub.hammer.send(busy, 1<<40, sub.request) }()
		err := profile(ctx, sub.admin, filepath.Join(folder, fmt.Sprintf("cpu-%d.pprof", i)))
		stop()
		<-done
		if err != nil {
			return err
		}
	}
	return nil
}

func profile(ctx context.Context, admin, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/debug/pprof/profile?seconds=8", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, res.Body)
	return err
}
