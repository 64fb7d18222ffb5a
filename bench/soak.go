package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/auth/fakecognito"
)

// runSoak runs visitors that log in, read pages and log out, and an operator who ends sessions and reloads the
// configuration. It fails if the gateway's heap, goroutines or open files grow, or if a request gets an unexpected
// response.
func runSoak(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	duration := flags.Duration("duration", 30*time.Minute, "duration of the test")
	visitors := flags.Int("visitors", 16, "concurrent visitors")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newTestbed(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	g, err := s.startSoakGateway()
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, *duration)
	defer stop()
	var done counters
	var samples []sample
	group, ctx := errgroup.WithContext(ctx)
	for i := range *visitors {
		group.Go(func() error { return visitRepeatedly(ctx, g, i, &done) })
	}
	group.Go(func() error { return reload(ctx, g, &done) })
	group.Go(func() (err error) { samples, err = watch(ctx, g, &done); return err })
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\n%s", err, g.output())
	} else if cause := context.Cause(ctx); err != nil && cause != context.DeadlineExceeded {
		return fmt.Errorf("%w\n%s", err, g.output())
	}
	return checkGrowth(samples)
}

type counters struct{ logins, pages, ended, reloads atomic.Int64 }

// startSoakGateway starts a gateway with a provider that has real logins.
func (t *testbed) startSoakGateway() (*gateway, error) {
	_, origin, err := t.startSelf("origin")
	if err != nil {
		return nil, err
	}
	_, redisAddr, err := t.redis()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	provider := "http://" + l.Addr().String()
	c := gatewayConfig{
		name: "gateway", origin: origin, redis: redisAddr, key: newKey(),
		issuer: provider + "/us-east-1_BENCH", cacheTTL: "5s", access: true,
	}
	c.outageGrace = "10s" // how long ended sessions are remembered
	g, err := t.gateway(c)
	if err != nil {
		return nil, err
	}
	cognito, err := fakecognito.New(fakecognito.Config{URL: provider, PoolID: "us-east-1_BENCH",
		Clients: []fakecognito.Client{{
			ID: clientID, Secret: clientKey, CallbackURLs: []string{"http://" + g.host + "/oauth2/callback"},
			LogoutURLs: []string{"http://" + g.host + "/oauth2/signed_out"},
		}}})
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: cognito, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	context.AfterFunc(t.ctx, func() { server.Close() })
	return g, nil
}

// visitRepeatedly logs in, reads pages and logs out until ctx ends.
func visitRepeatedly(ctx context.Context, g *gateway, i int, done *counters) error {
	for n := 0; ctx.Err() == nil; n++ {
		b, err := newBrowser("http://" + g.host)
		if err != nil {
			return err
		}
		if err := b.login(ctx, "/members/handbook"); err != nil {
			return ignoreTimeout(ctx, err)
		}
		done.logins.Add(1)
		for page := range 20 {
			path := "/members/handbook"
			if page%3 == 0 {
				path = "/pricing"
			}
			if err := b.read(ctx, path); err != nil {
				return ignoreTimeout(ctx, err)
			}
			done.pages.Add(1)
		}
		if n%4 == 3 && i == 0 { // end all sessions, like an operator
			err = b.endAll(ctx, g.admin)
		} else {
			err = b.logout(ctx)
		}
		if err != nil {
			return ignoreTimeout(ctx, err)
		}
		done.ended.Add(1)
		b.close()
	}
	return nil
}

// ignoreTimeout returns nil if ctx has ended, else err.
func ignoreTimeout(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// reload changes the configuration every five seconds by adding or removing a rule.
func reload(ctx context.Context, g *gateway, done *counters) error {
	text, err := os.ReadFile(g.path)
	if err != nil {
		return err
	}
	more := strings.Replace(string(text), "  rules:\n", "  rules:\n    - path: /extra/**\n", 1)
	for tick := time.NewTicker(5 * time.Second); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		next := string(text)
		if done.reloads.Add(1)%2 == 1 {
			next = more
		}
		if err := os.WriteFile(g.path+".new", []byte(next), 0o600); err != nil {
			return err
		}
		if err := os.Rename(g.path+".new", g.path); err != nil {
			return err
		}
	}
}

// watched are the metrics that must not grow, and how much they may differ between two parts of the run.
var watched = []struct {
	metric string
	slack  float64 // in addition to 10 %
}{
	{"go_memstats_heap_alloc_bytes", 2 << 20},
	{"go_goroutines", 20},
	{"process_open_fds", 20},
}

type sample []float64 // in the order of watched

// watch reads the gateway's metrics every second and prints a line every 30 seconds.
func watch(ctx context.Context, g *gateway, done *counters) ([]sample, error) {
	var samples []sample
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			return samples, nil
		case <-tick.C:
		}
		var now sample
		for _, w := range watched {
			value, err := metric(ctx, g.admin, w.metric)
			if err != nil {
				return samples, ignoreTimeout(ctx, err)
			}
			now = append(now, value)
		}
		if samples = append(samples, now); len(samples)%30 == 0 {
			low := lowest(samples[max(0, len(samples)-30):])
			fmt.Printf("%4ds: %d logins, %d pages, %d ended, %d reloads; heap %.1f MiB, %.0f goroutines, %.0f files\n",
				len(samples), done.logins.Load(), done.pages.Load(), done.ended.Load(), done.reloads.Load(),
				low[0]/(1<<20), low[1], low[2])
		}
	}
}

// lowest returns the minimum of each value. For the heap, that is its size after a collection.
func lowest(samples []sample) sample {
	low := slices.Clone(samples[0])
	for _, s := range samples {
		for i := range low {
			low[i] = min(low[i], s[i])
		}
	}
	return low
}

// checkGrowth compares the last third of the run with the second; the first is warm-up.
func checkGrowth(samples []sample) error {
	third := len(samples) / 3
	if third < 30 {
		return fmt.Errorf("%d seconds are too short for a comparison", len(samples))
	}
	before, after := lowest(samples[third:2*third]), lowest(samples[2*third:])
	var grown []string
	for i, w := range watched {
		fmt.Printf("%s: %.0f in the second third, %.0f in the last\n", w.metric, before[i], after[i])
		if after[i] > before[i]*1.1+w.slack {
			grown = append(grown, w.metric)
		}
	}
	if len(grown) > 0 {
		return fmt.Errorf("growing: %s", strings.Join(grown, ", "))
	}
	fmt.Println("no growth")
	return nil
}
