package hubspot

import (
	"log/slog"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// oldProperties is the mapping of the old version; testdata/README.md describes what it left in Redis.
func oldProperties() map[string]mapping.Property {
	return map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "last_portal_login": {Value: "login_time"},
		"portal_logins": {Value: "login_count"}, "portal_groups": {Claim: "cognito:groups"},
		"lead_source": {Constant: "portal", Write: mapping.WriteCreateOnly},
		"company":     {Claim: "company", Write: mapping.WriteIfEmpty},
		"member_no":   {Claim: "custom:member_no"}, "nope": {Claim: "given_name"},
	}
}

// newOldEnv returns an env with HubSpot's contacts at the time when the old version stopped.
func newOldEnv(t *testing.T) *env {
	t.Helper()
	e := newEnv(t, oldProperties())
	e.cfg.Contacts.MinInterval = setting.Duration(24 * time.Hour)
	e.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: e.api.URL}
	e.fake.Define(fakehubspot.Property{Name: "member_no", Type: "number", FieldType: "number"})
	for _, name := range []string{"sent.oldkey", "sent", "held", "rejected", "bound", "groups", "linking", "linkpending"} {
		e.fake.Add(map[string]string{"email": name + "@example.com", "firstname": "Name " + name, "portal_logins": "1",
			"lead_source": "entered by hand"})
	}
	e.fake.Add(map[string]string{"email": "created@example.com", "firstname": "Name created", "portal_logins": "1"})
	return e
}

// oldReplica returns a replica with the ring of the old version behind a new key. now may be nil.
func (e *env) oldReplica(old realredis.Snapshot, now func() time.Time) *replica {
	e.t.Helper()
	ring, err := seal.New(append([]string{seal.NewKey()}, old.Ring...)...)
	if err != nil {
		e.t.Fatal(err)
	}
	c, err := New(e.cfg, Deps{
		Queue: e.redis, KeyPrefix: "hubgate:", Ring: ring, Now: now, Token: e.tokenNow,
		Client: dependency.NewClient(dependency.ClientConfig{
			Name: dependency.HubSpotAPI, Timeout: 30 * time.Second, MaxBody: 16 << 20, Base: e.http,
		}),
		Log: slog.New(slog.NewTextHandler(e.logOutput(), nil)),
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return &replica{Contacts: c}
}

// withOldRecords runs a test with the records of the old version, two days later, in a Redis in memory and in a real
// one.
func withOldRecords(t *testing.T, test func(e *env, r *replica)) {
	var old realredis.Snapshot
	realredis.ReadFile(t, "testdata/records-53370d0.json", &old)
	later := old.At.Add(48 * time.Hour)
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := newOldEnv(t)
			time.Sleep(time.Until(later))
			old.Restore(t, e.redis)
			test(e, e.oldReplica(old, nil))
		})
	})
	t.Run("redis-server", func(t *testing.T) {
		e := newOldEnv(t)
		e.redis = newClient(realredis.Start(t))
		api := httptest.NewServer(e.fake)
		t.Cleanup(func() { e.redis.Close(); api.Close() })
		e.http, e.cfg.APIURL, e.cfg.Visitors.FormURL = nil, api.URL, api.URL
		begin := time.Now()
		if begin.After(later) {
			later = begin
		}
		old.Restore(t, e.redis)
		test(e, e.oldReplica(old, func() time.Time { return later.Add(time.Since(begin)) }))
	})
}

func TestOldQueueIsShown(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		s, err := r.Status(e.t.Context())
		if err != nil || s.Queued != 7 || s.Delayed+s.Held != 6 || s.InFlight != 1 || s.Dead != 5 || s.PausedUntil == nil {
			e.t.Errorf("%+v %v", s, err)
		}
		for _, p := range s.RejectedProperties {
			if p.Property != "nope" || p.Count != 2 || p.Reason == "" {
				e.t.Errorf("%+v", p)
			}
		}
		states := map[string]string{}
		page, err := r.Waiting(e.t.Context(), "", 100)
		for _, entry := range page.Entries {
			states[strings.TrimSuffix(entry.Email, "@example.com")] = entry.State
		}
		want := map[string]string{
			"held": "held", "linking": "delayed", "queued.oldkey": "queued", "queued": "queued", "twice": "queued",
			"sent": "queued", "bound": "queued", "forced": "queued", "linkpending": "delayed", "delayed": "delayed",
			"inflight": "in_flight", "uncertain": "delayed", "created": "delayed",
		}
		if d := cmp.Diff(want, states); d != "" || err != nil {
			e.t.Error(d, err)
		}
	})
}

// sentContacts are the contacts after the old queue was sent, without the time of the login.
func sentContacts() map[string]map[string]string {
	written := func(logins, source string) map[string]string {
		return map[string]string{"portal_logins": logins, "lead_source": source}
	}
	want := map[string]map[string]string{
		"sent.oldkey": written("1", "entered by hand"), "rejected": written("1", "entered by hand"),
		"groups": written("1", "entered by hand"), "linking": written("1", "entered by hand"),
		"linkpending": written("1", "entered by hand"), "held": written("2", "entered by hand"),
		"sent": written("2", "entered by hand"), "bound": written("2", "entered by hand"),
		"queued.oldkey": written("1", "portal"), "queued": written("1", "portal"), "twice": written("2", "portal"),
		"delayed": written("1", "portal"), "inflight": written("1", "portal"), "uncertain": written("1", "portal"),
		"created": written("1", "portal"), "forced": {"lead_source": "portal"},
	}
	for name, properties := range want {
		properties["email"] = name + "@example.com"
		if name != "forced" {
			properties["firstname"] = "Name " + name
		}
	}
	want["twice"]["firstname"] = "The second time"
	want["sent"]["firstname"], want["bound"]["firstname"] = "Changed", "Changed"
	maps.Copy(want["queued"], map[string]string{
		"firstname": "Zoë", "company": "Acme, Inc.", "member_no": "9007199254740993", "portal_groups": "members;partners",
	})
	return want
}

func TestOldQueueIsSent(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		e.start(r)
		e.waitDrained(r)
		got := map[string]map[string]string{}
		for _, c := range e.fake.Contacts() {
			delete(c.Properties, "last_portal_login")
			got[strings.TrimSuffix(c.Properties["email"], "@example.com")] = c.Properties
		}
		if d := cmp.Diff(sentContacts(), got); d != "" {
			e.t.Error(d)
		}
		submitted := map[string]string{}
		for _, s := range e.fake.Submissions() {
			submitted[s.Email] += s.UTK
		}
		if d := cmp.Diff(map[string]string{
			"linking@example.com": strings.Repeat("c", 32), "linkpending@example.com": strings.Repeat("d", 32),
		}, submitted); d != "" {
			e.t.Error(d)
		}
		for _, name := range []string{"stream", "tries", "due", "held", "inflight"} {
			if n := e.redis.XLen(e.t.Context(), "hubgate:{crm}:"+name); name == "stream" && n.Val() != 0 {
				e.t.Errorf("%d entries are left", n.Val())
			} else if name != "stream" && e.redis.Exists(e.t.Context(), "hubgate:{crm}:"+name).Val() != 0 {
				e.t.Errorf("%s is left", name)
			}
		}
	})
}

func TestOldDeadLettersAreReplayedAndDropped(t *testing.T) {
	t.Parallel()
	withOldRecords(t, func(e *env, r *replica) {
		want := []string{"blocked.oldkey", "blocked.one", "blocked.two", "blocked.forced"}
		page, err := r.Dead(e.t.Context(), "", 100)
		var listed []string
		for _, d := range page.Dead {
			if name := strings.TrimSuffix(d.Email, "@example.com"); !slices.Contains(listed, name) {
				listed = append(listed, name)
			}
			if d.Reason != "400 VALIDATION_ERROR <e-mail> is on the blocklist" || d.Attempts != 1 || d.LastAt.IsZero() {
				e.t.Errorf("%+v", d)
			}
		}
		if d := cmp.Diff(want, listed); d != "" || err != nil {
			e.t.Error(d, err)
		}
		if n, err := r.Drop(e.t.Context(), []string{page.Dead[1].ID}, false); n != 1 || err != nil {
			e.t.Errorf("dropped %d, %v", n, err)
		}
		if n, err := r.Replay(e.t.Context(), nil, true); n < len(want)-1 || err != nil {
			e.t.Errorf("replayed %d, %v", n, err)
		}
		e.start(r)
		e.waitDrained(r)
		for name, firstname := range map[string]string{
			"blocked.oldkey": "Name blocked.oldkey", "blocked.two": "Second", "blocked.forced": "",
		} {
			c := e.contact(name + "@example.com")
			if c["firstname"] != firstname || c["lead_source"] != "portal" {
				e.t.Errorf("%s: %v", name, c)
			}
		}
		if c := e.contact("blocked.one@example.com"); c != nil {
			e.t.Errorf("a dropped dead letter is sent: %v", c)
		}
		if s, err := r.Status(e.t.Context()); err != nil || s.Dead != 0 {
			e.t.Errorf("%+v %v", s, err)
		}
	})
}
