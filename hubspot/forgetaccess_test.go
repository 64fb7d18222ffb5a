package hubspot

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// startAccess returns a running Access of another replica. Rules ask for two lists and the tier.
func (e *env) startAccess() *access.Access {
	e.t.Helper()
	e.cfg.Access = access.DefaultConfig()
	e.cfg.Access.Lists = map[string]access.ListID{"customers": "1", "beta": "2"}
	e.cfg.Access.Properties = []string{"tier"}
	ring, err := seal.New(e.key)
	if err != nil {
		e.t.Fatal(err)
	}
	rdb, r := e.dial(), e.replica()
	reader := func(l crm.Limiter) *crm.Client { return crm.New(e.cfg.CRM(), r.deps.Client, l, e.tokenNow) }
	a, err := access.New(e.cfg.Access, access.Deps{
		Redis: rdb, Block: rdb, KeyPrefix: "hubgate:", Ring: ring, Urgent: reader(r.VisitorReads()),
		Spare: reader(r.SpareReads()), Rate: r.VisitorReads().Rate, Pause: r.VisitorReads().Pause,
		Token: func() string { return "token" }, HubID: func() int64 { return 0 },
		Log: slog.New(slog.DiscardHandler), Metrics: access.NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	e.t.Cleanup(func() { cancel(); <-done })
	return a
}

// tierOf returns the tier that a replica knows of a visitor, or "unknown".
func tierOf(t *testing.T, a *access.Access, email string) string {
	t.Helper()
	known, _ := a.Know(t.Context(), &session.Session{User: session.User{
		Issuer: "https://idp.example", Subject: "sub-" + email, Email: email, EmailVerified: true,
	}}, false)
	if known == nil {
		return "unknown"
	}
	return strings.Join(known.Properties["tier"], ";")
}

func TestShowAndForgetCoverAnswersOfHubSpot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		id := e.fake.Add(map[string]string{"email": "ada@example.com", "tier": "gold"})
		e.fake.Add(map[string]string{"email": "bob@example.com", "tier": "gold"})
		for list := range 2 {
			e.fake.AddList(fakehubspot.List{ID: strconv.Itoa(list + 1)})
		}
		e.fake.Join("1", id)
		replicas := []*access.Access{e.startAccess(), e.startAccess()}
		r := e.replica()
		time.Sleep(time.Second) // the subscriptions are up
		for _, a := range replicas {
			if ada, bob := tierOf(t, a, "ada@example.com"), tierOf(t, a, "bob@example.com"); ada != "gold" || bob != "gold" {
				t.Fatal(ada, bob)
			}
		}
		p, err := r.Show(t.Context(), "Ada@Example.com", nil)
		if err != nil || len(p.Access) != 1 {
			t.Fatalf("%+v %v", p, err)
		}
		if k := p.Access[0]; !k.Contact || !k.Lists["1"] || k.Lists["2"] || len(k.Lists) != 2 ||
			k.Properties["tier"][0] != "gold" || time.Since(k.ReadAt) > time.Minute {
			t.Errorf("%+v", k)
		}
		e.fake.Update(id, map[string]string{"tier": "silver"})
		f, err := r.Forget(t.Context(), "ada@example.com", noSessions)
		if err != nil || f.Access != 1 {
			t.Errorf("%+v %v", f, err)
		}
		if p, err := r.Show(t.Context(), "ada@example.com", nil); err != nil || len(p.Access) != 0 {
			t.Errorf("%+v %v", p, err)
		}
		time.Sleep(time.Second) // the replicas are notified
		for i, a := range replicas {
			if got := tierOf(t, a, "ada@example.com"); got != "silver" {
				t.Errorf("replica %d still has %s in memory", i, got)
			}
		}
		if p, err := r.Show(t.Context(), "bob@example.com", nil); err != nil || len(p.Access) != 1 {
			t.Errorf("another person: %+v %v", p, err)
		}
	})
}

// noPublish refuses PUBLISH, as Redis does for a user who may not use the channel.
type noPublish struct{}

// reply is an error that Redis replies with.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

var errNoPublish error = reply("NOPERM No permissions to access a channel")

func (noPublish) DialHook(next redis.DialHook) redis.DialHook { return next }
func (noPublish) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "publish" {
			cmd.SetErr(errNoPublish)
			return errNoPublish
		}
		return next(ctx, cmd)
	}
}

func (noPublish) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "publish" {
			return errNoPublish
		}
		return next(ctx, cmds)
	}
}

// TestForgetNeedsPublishOnlyWithAccess checks that replicas that may remember the person are notified, and that no
// permission is needed where none can.
func TestForgetNeedsPublishOnlyWithAccess(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		e := newEnv(t, usualProperties())
		if on {
			e.cfg.Access.Properties = []string{"tier"}
		}
		client := e.dial()
		client.AddHook(noPublish{})
		r := e.replicaOn(client, e.http)
		_, err := r.Forget(t.Context(), "ada@example.com", noSessions)
		if on != errors.Is(err, errNoPublish) || !on && err != nil {
			t.Errorf("access %v: %v", on, err)
		}
	}
}

// TestForgetNotifiesReplicasThatAskHubSpot checks that copies in memory end although this replica asks HubSpot nothing
// and Redis has no record.
func TestForgetNotifiesReplicasThatAskHubSpot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		for list := range 2 {
			e.fake.AddList(fakehubspot.List{ID: strconv.Itoa(list + 1)})
		}
		id := e.fake.Add(map[string]string{"email": "ada@example.com", "tier": "gold"})
		a := e.startAccess()
		time.Sleep(time.Second) // the subscription is up
		if got := tierOf(t, a, "ada@example.com"); got != "gold" {
			t.Fatal(got)
		}
		synctest.Wait()
		for _, key := range e.mini.Keys() {
			if strings.Contains(key, "{crm}:a:") {
				e.mini.Del(key)
			}
		}
		e.cfg.Access = access.DefaultConfig()
		e.fake.Update(id, map[string]string{"tier": "silver"})
		if _, err := e.replica().Forget(t.Context(), "ada@example.com", noSessions); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := tierOf(t, a, "ada@example.com"); got != "silver" {
			t.Errorf("still %s in memory", got)
		}
	})
}
