package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/dependency"
)

// diagnosis is what check --live found out about one part.
type diagnosis struct {
	Part   string `json:"part"`
	Status string `json:"status"` // ok | warning | failed
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
	Where  string `json:"where,omitempty"` // the key of the file, or the place in a console, that has to be changed
}

const (
	healthy = "ok"
	doubted = "warning"
	failed  = "failed"
)

// doctor asks every part that the configuration names, each within a time limit. What it asks with are seams for tests.
type doctor struct {
	cfg     *Config
	clock   clock
	lookup  lookupFunc
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	network http.RoundTripper // nil = the real one
	now     func() time.Time
}

func newDoctor(cfg *Config) *doctor {
	return &doctor{cfg: cfg, lookup: lookupHost, dial: (&net.Dialer{}).DialContext, now: time.Now}
}

const doctorTime = 10 * time.Second

// diagnose asks all parts at once and tells what they said, in the order of the file.
func (d *doctor) diagnose(ctx context.Context) []diagnosis {
	asks := []func(context.Context) []diagnosis{d.askSites, d.askOrigin, d.askProvider, d.askRedis, d.askHubSpot}
	answers := make([][]diagnosis, len(asks))
	var group sync.WaitGroup
	for i, ask := range asks {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, doctorTime)
			defer cancel()
			answers[i] = ask(ctx)
		})
	}
	group.Wait()
	var all []diagnosis
	for _, answer := range answers {
		all = append(all, answer...)
	}
	all = append(all, d.clock.judge()...)
	for _, r := range d.cfg.returns() {
		all = append(all, diagnosis{Part: "register", Status: healthy, Detail: "callback " + r.Callback + ", logout " + r.SignedOut})
	}
	return all
}

// client asks one dependency, and listens to the clock in its answers.
func (d *doctor) client(name dependency.Name) *http.Client {
	client := dependency.NewClient(dependency.ClientConfig{Name: name, Timeout: doctorTime, MaxBody: 32 << 20})
	if d.network != nil {
		client.Transport = d.network
	}
	client.Transport = &clockReader{next: client.Transport, clock: &d.clock, now: d.now}
	return client
}

func (d *doctor) askProvider(ctx context.Context) []diagnosis {
	p, err := auth.NewProvider(d.cfg.Auth, auth.ProviderDeps{Client: d.client(dependency.IDP), Log: quietLog(), Now: d.now})
	if err != nil {
		return []diagnosis{{Part: "provider", Status: failed, Detail: err.Error()}}
	}
	var all []diagnosis
	for _, f := range p.Examine(ctx, d.cfg.returns()) {
		all = append(all, diagnosis{Part: "provider: " + f.Part, Status: f.Status, Detail: f.Detail, Cure: f.Cure, Where: f.Where})
	}
	return all
}

func printDiagnoses(e *env, all []diagnosis) {
	if len(all) == 0 {
		return
	}
	colours := map[string]string{healthy: green, doubted: yellow, failed: red}
	fmt.Fprintln(e.stdout)
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, d := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\n", e.colour(e.stdout, colours[d.Status], d.Status), d.Part, d.Detail)
		if d.Cure != "" {
			fmt.Fprintf(table, "%s\t\t-> %s%s\n", e.colour(e.stdout, colours[d.Status], ""), d.Cure, at1(d.Where))
		}
	}
	_ = table.Flush() // stdout is gone: nobody to tell
}

// at1 is the place behind a cure.
func at1(where string) string {
	if where == "" {
		return ""
	}
	return " (" + where + ")"
}
