package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/session"
)

// diagnosis is what check --live found out about one part.
type diagnosis struct {
	Part   string `json:"part"`
	Status string `json:"status"` // ok | warning | failed
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
}

const doctorTime = 10 * time.Second

// diagnose asks every part that the configuration names, each within a time limit.
func diagnose(e *env, cfg *Config) []diagnosis {
	var all []diagnosis
	for _, ask := range []func(context.Context, *Config) []diagnosis{askProvider, askRedis, askOrigin, askHubSpot} {
		ctx, cancel := context.WithTimeout(e.ctx, doctorTime)
		all = append(all, ask(ctx, cfg)...)
		cancel()
	}
	for _, site := range cfg.Server.sites() {
		all = append(all, diagnosis{Part: "register", Status: "ok", Detail: "callback " + site.Origin() + cfg.Auth.Prefix + "/callback, logout " + site.Origin() + cfg.Auth.Prefix + "/signed_out"})
	}
	return all
}

func doctorClient(name dependency.Name) *http.Client {
	return dependency.NewClient(dependency.ClientConfig{Name: name, Timeout: doctorTime, MaxBody: 4 << 20})
}

func askProvider(ctx context.Context, cfg *Config) []diagnosis {
	d := diagnosis{Part: "provider", Status: "failed"}
	p, err := auth.NewProvider(cfg.Auth, auth.ProviderDeps{Client: doctorClient(dependency.IDP), Log: quietLog(), Now: time.Now})
	if err != nil {
		d.Detail = err.Error()
		return []diagnosis{d}
	}
	findings := p.Examine(ctx)
	all := make([]diagnosis, 0, len(findings))
	for _, f := range findings {
		all = append(all, diagnosis{Part: "provider: " + f.Part, Status: f.Status, Detail: f.Detail, Cure: f.Cure})
	}
	return all
}

func askRedis(ctx context.Context, cfg *Config) []diagnosis {
	d := diagnosis{Part: "redis", Status: "failed"}
	if cfg.Session.Redis.Mode == "embedded" {
		return []diagnosis{{Part: "redis", Status: "warning", Detail: "embedded: sessions and the contact queue die with the process", Cure: "use a real Redis in production"}}
	}
	clients, err := openRedis(cfg.Session.Redis, redisDeps{
		Credentials:      func() (string, string) { return cfg.Session.Redis.Username, cfg.Session.Redis.Password.Reveal() },
		SentinelPassword: cfg.Session.Redis.SentinelPassword.Reveal,
		Observe:          func(context.Context, error, time.Duration) {}, Log: quietLog(),
	})
	if err != nil {
		d.Detail = err.Error()
		return []diagnosis{d}
	}
	defer clients.close()
	found, err := session.Examine(ctx, clients.Queue)
	if err != nil {
		d.Detail, d.Cure = err.Error(), redisCure(err.Error())
		return []diagnosis{d}
	}
	d.Status, d.Detail = "ok", "version "+found.Version
	if found.Warning != "" {
		d.Status, d.Detail, d.Cure = "warning", d.Detail+": "+found.Warning, found.Cure
	}
	if found.TooOld {
		d.Status, d.Cure = "failed", "use Redis 6.2 or newer"
	}
	return []diagnosis{d}
}

func askOrigin(ctx context.Context, cfg *Config) []diagnosis {
	client := doctorClient(dependency.HubSpotSite)
	var all []diagnosis
	for _, site := range cfg.Server.sites() {
		d := diagnosis{Part: "origin for " + site.Host, Status: "failed"}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(cfg.Proxy.Origin, "/")+"/", nil)
		if err != nil {
			return append(all, diagnosis{Part: "origin", Status: "failed", Detail: err.Error()})
		}
		req.Header.Set("X-Hs-Public-Host", site.Host)
		req.Header.Set("X-Hubspot-Trust-Forwarded-For", "true")
		if cfg.Proxy.OriginHost != "" {
			req.Host = cfg.Proxy.OriginHost
		}
		res, err := client.Do(req)
		if err != nil {
			d.Detail, d.Cure = err.Error(), "mend proxy.origin, or let this machine reach it"
			all = append(all, d)
			continue
		}
		res.Body.Close()
		all = append(all, judgeOrigin(d, res, site.Host))
		all = append(all, clockOff(res)...)
	}
	return all
}

func judgeOrigin(d diagnosis, res *http.Response, host string) diagnosis {
	switch {
	case res.StatusCode < 400:
		d.Status, d.Detail = "ok", "answers "+res.Status
	case res.StatusCode == http.StatusNotFound:
		d.Detail, d.Cure = "answers 404: HubSpot does not know "+host+" at this origin", "connect the domain in HubSpot (Settings, Domains & URLs) with its CDN off, and check the HubID and data centre in proxy.origin"
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusForbidden:
		d.Status, d.Detail, d.Cure = "warning", "answers "+res.Status+": HubSpot limits or challenges this machine's address", "run two or more replicas with different egress addresses"
	default:
		d.Detail, d.Cure = "answers "+res.Status, "look at the site's status in HubSpot"
	}
	return d
}

// clockOff compares our clock with the Date of an answer: tokens do not forgive more than a minute.
func clockOff(res *http.Response) []diagnosis {
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return nil
	}
	if off := time.Since(at).Abs(); off > 5*time.Second {
		return []diagnosis{{Part: "clock", Status: "warning", Detail: fmt.Sprintf("this machine's clock is %s off", off.Round(time.Second)), Cure: "run a time service (NTP)"}}
	}
	return nil
}

func printDiagnoses(e *env, all []diagnosis) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(e.stdout)
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, d := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\n", d.Status, d.Part, d.Detail)
		if d.Cure != "" {
			fmt.Fprintf(table, "\t\t-> %s\n", d.Cure)
		}
	}
	_ = table.Flush() // stdout is gone: nobody to tell
}
