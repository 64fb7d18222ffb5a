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

// subject is a server whose CPU time is measured.
type subject struct {
	name      string
	promised  string // ratio promised in docs/performance.md
	process   *process
	addr      string
	admin     string // of a gateway, for profiles
	request   func(i int) []byte
	generator *generator
	cpu       []time.Duration // per request, one value per round
}

// runSignedIn compares hubgate with the bare proxy, round by round.
func runSignedIn(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("signedin", flag.ContinueOnError)
	rounds := flags.Int("rounds", 21, "measurements per subject; the median counts")
	requests := flags.Int("requests", 2000, "requests per measurement")
	conns := flags.Int("connections", 64, "keep-alive connections to each subject")
	profiles := flags.String("profiles", "", "folder for a CPU profile of each gateway, taken after the rounds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newTestbed(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	subjects, err := s.subjects(*conns)
	if err != nil {
		return err
	}
	for round := range *rounds + 1 { // the first round warms up
		for i := range subjects {
			sub := subjects[(i+round)%len(subjects)]
			used, err := sub.measure(ctx, *requests)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", sub.name, err, sub.process.output())
			}
			if round > 0 {
				sub.cpu = append(sub.cpu, used)
			}
		}
	}
	report(subjects)
	if *profiles != "" {
		return profileAll(ctx, subjects, *profiles)
	}
	return nil
}

// subjects starts all subjects. They run at the same time and are measured in turn.
func (t *testbed) subjects(conns int) ([]*subject, error) {
	_, origin, err := t.startSelf("origin")
	if err != nil {
		return nil, err
	}
	bare, bareAddr, err := t.startSelf("bare", origin)
	if err != nil {
		return nil, err
	}
	_, redisAddr, err := t.redis()
	if err != nil {
		return nil, err
	}
	plain := get(site(bareAddr), "/members/handbook", "")
	subjects := []*subject{{name: "bare tuned reverse proxy", process: bare, addr: bareAddr,
		request: func(int) []byte { return plain }}}
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
		g, err := t.gateway(gatewayConfig{name: fmt.Sprint("gateway-", len(subjects)), origin: origin, redis: redisAddr,
			key: key, issuer: issuer, cacheTTL: v.ttl, access: v.access})
		if err != nil {
			return nil, err
		}
		requests, err := visitorsOf(t.ctx, g, visitorsConfig{key: key, redis: redisAddr, path: v.path, count: conns})
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, &subject{name: v.name, promised: v.bound, process: g.process, addr: g.addr,
			admin:   g.admin,
			request: func(i int) []byte { return requests[i%len(requests)] }})
	}
	for _, sub := range subjects {
		if sub.generator, err = newGenerator(sub.addr, conns); err != nil {
			return nil, err
		}
		if err := sub.generator.send(t.ctx, 10*conns, sub.request); err != nil { // before the servers' header timeout
			return nil, fmt.Errorf("%s: %w\n%s", sub.name, err, sub.process.output())
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
	r, err := newSessionStarter(c.key, c.redis, g.host)
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

// measure returns the CPU time per request.
func (sub *subject) measure(ctx context.Context, requests int) (time.Duration, error) {
	before, err := sub.process.cpu()
	if err != nil {
		return 0, err
	}
	if err := sub.generator.send(ctx, requests, sub.request); err != nil {
		return 0, err
	}
	after, err := sub.process.cpu()
	return (after - before) / time.Duration(requests), err
}

// report prints each subject's CPU time in the median round, and its ratio to the bare proxy's in the same round.
func report(subjects []*subject) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tCPU µs PER REQUEST\tRATIO TO BARE PROXY (MEDIAN)\tQUARTILES\tPROMISED")
	for _, sub := range subjects {
		ratios := make([]float64, len(sub.cpu))
		for i := range ratios {
			ratios[i] = float64(sub.cpu[i]) / float64(subjects[0].cpu[i])
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.2f\t%.2f to %.2f\t%s\n", sub.name, float64(quantile(sub.cpu, 0.5))/1e3,
			quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), sub.promised)
	}
	table.Flush()
}

// quantile returns the q-quantile of values.
func quantile[T ~int64 | ~float64](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// profileAll takes a CPU profile of each gateway under load.
func profileAll(ctx context.Context, subjects []*subject, folder string) error {
	for i, sub := range subjects {
		if sub.admin == "" {
			continue
		}
		busy, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); sub.generator.send(busy, 1<<40, sub.request) }()
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
	body, err := askAdmin(ctx, http.MethodGet, "http://"+admin+"/debug/pprof/profile?seconds=8")
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, body)
	return err
}
