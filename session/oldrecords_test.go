package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
)

// oldRecords are sessions in Redis as an earlier version left them; testdata/README.md describes them.
type oldRecords struct {
	realredis.Snapshot
	Sessions []oldSession

	t     *testing.T
	redis *redis.Client
	now   time.Time
}

type oldSession struct {
	Name    string
	Site    string // the origin that the session is for
	Cookie  string
	Session Session // what the old version saw
}

// eachRedis runs a test with the old records in a real Redis and in one in memory.
func eachRedis(t *testing.T, test func(t *testing.T, old *oldRecords)) {
	t.Run("memory", func(t *testing.T) {
		w := newWorld(t)
		test(t, restoreRecords(t, w.redis.Addr()))
	})
	t.Run("redis-server", func(t *testing.T) {
		test(t, restoreRecords(t, realredis.Start(t).Addr))
	})
}

func restoreRecords(t *testing.T, addr string) *oldRecords {
	t.Helper()
	old := &oldRecords{t: t, redis: redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})}
	t.Cleanup(func() { old.redis.Close() })
	realredis.ReadFile(t, "testdata/records-53370d0.json", old)
	old.now = old.At
	old.Restore(t, old.redis)
	return old
}

// manager returns a Manager with the ring of the old version, whose first key is now a new one if rotated is true.
func (old *oldRecords) manager(rotated bool, refresh RefreshFunc) *Manager {
	old.t.Helper()
	keys := old.Ring
	if rotated {
		keys = append([]string{seal.NewKey()}, keys...)
	}
	ring, err := seal.New(keys...)
	if err != nil {
		old.t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.CacheTTL, cfg.IdleTimeout = 0, minutesOrNone(60)
	m, err := New(cfg, Deps{
		Redis: old.redis, Block: old.redis, Ring: ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: func() time.Time { return old.now },
	})
	if err != nil {
		old.t.Fatal(err)
	}
	m.Set(Settings{Config: cfg, Issuer: issuer, ClientID: clientID, RefreshGrace: time.Hour, Refresh: refresh})
	return m
}

// request returns the request of a browser with the cookie of a session.
func (old *oldRecords) request(origin, cookie string) *http.Request {
	site, ok := inbound.ParseSite(origin)
	if !ok {
		old.t.Fatal(origin)
	}
	r := httptest.NewRequest(http.MethodGet, origin+"/members/", nil)
	r.Header.Set("Cookie", cookie)
	return r.WithContext(inbound.With(r.Context(), &inbound.Facts{Site: site}))
}

func TestOldSessionsAreLoaded(t *testing.T) {
	t.Parallel()
	eachRedis(t, func(t *testing.T, old *oldRecords) {
		for _, rotated := range []bool{false, true} {
			m := old.manager(rotated, nil)
			for _, want := range old.Sessions {
				got, err := m.Load(httptest.NewRecorder(), old.request(want.Site, want.Cookie))
				if want.Name == "ended" {
					if !errors.Is(err, ErrNoSession) {
						t.Errorf("an ended session: %v, %v", got, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", want.Name, err)
					continue
				}
				diff := cmp.Diff(want.Session, *got, cmpopts.IgnoreUnexported(Session{}), cmpopts.EquateEmpty(),
					cmpopts.IgnoreFields(Session{}, "LastSeenAt"))
				if diff != "" {
					t.Errorf("%s: %s", want.Name, diff)
				}
			}
		}
	})
}

func TestOldSessionsAreListed(t *testing.T) {
	t.Parallel()
	eachRedis(t, func(t *testing.T, old *oldRecords) {
		m := old.manager(true, nil)
		list, err := m.List(t.Context(), Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]*Session{}
		for _, s := range list.Sessions {
			shown[s.Ref] = s
		}
		for _, want := range old.Sessions {
			got, s := shown[want.Session.Ref], want.Session
			if want.Name == "ended" {
				if got != nil {
					t.Errorf("an ended session is listed: %+v", got)
				}
				continue
			}
			summary := &Session{User: User{Issuer: s.Issuer, Subject: s.Subject, Email: s.Email}, Ref: s.Ref, Host: s.Host,
				CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, Address: s.Address, SID: s.SID}
			if d := cmp.Diff(summary, got, cmpopts.IgnoreUnexported(Session{})); d != "" {
				t.Errorf("%s: %s", want.Name, d)
			}
			if s.Email == "" {
				continue
			}
			page, err := m.List(t.Context(), Query{Email: strings.ToUpper(s.Email), Limit: 10})
			if err != nil || !slices.ContainsFunc(page.Sessions, func(found *Session) bool { return found.Ref == s.Ref }) {
				t.Errorf("%s is not found by its address: %+v %v", want.Name, page, err)
			}
		}
	})
}

// ends are the ways to end old sessions: each returns how many it ended.
var ends = map[string]func(ctx context.Context, m *Manager, s Session) (int, error){
	"by reference": func(ctx context.Context, m *Manager, s Session) (int, error) {
		ended, err := m.EndRef(ctx, s.Ref)
		if ended {
			return 1, err
		}
		return 0, err
	},
	"by user": func(ctx context.Context, m *Manager, s Session) (int, error) {
		return m.EndUser(ctx, s.Issuer, s.Subject)
	},
	"by address": func(ctx context.Context, m *Manager, s Session) (int, error) {
		return m.EndByEmail(ctx, s.Email)
	},
	"by the provider": func(ctx context.Context, m *Manager, s Session) (int, error) {
		return m.EndSID(ctx, s.Issuer, s.SID)
	},
}

func TestOldSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachRedis(t, func(t *testing.T, old *oldRecords) {
				m := old.manager(true, nil)
				for _, s := range old.Sessions {
					by := s.Session
					unknown := name == "by address" && by.Email == "" || name == "by the provider" && by.SID == ""
					if unknown || s.Name == "ended" {
						continue
					}
					n, err := end(t.Context(), m, by)
					alreadyEnded := s.Name == "the same user in another browser" &&
						(name == "by user" || name == "by address")
					if err != nil || (n == 0) != alreadyEnded {
						t.Errorf("%s: %d, %v", s.Name, n, err)
					}
					_, err = m.Load(httptest.NewRecorder(), old.request(s.Site, s.Cookie))
					if !errors.Is(err, ErrNoSession) {
						t.Errorf("%s is still logged in: %v", s.Name, err)
					}
				}
			})
		})
	}
}

func TestOldSessionIsRefreshed(t *testing.T) {
	t.Parallel()
	eachRedis(t, func(t *testing.T, old *oldRecords) {
		var asked []string
		m := old.manager(true, func(_ context.Context, token string) (Tokens, User, error) {
			asked = append(asked, token)
			user := User{Issuer: issuer, Subject: "refreshed", Email: "refreshed@example.com", Groups: []string{"new"}}
			return Tokens{Access: "access-3", Refresh: "refresh-3", AccessExpiry: old.now.Add(time.Hour)}, user, nil
		})
		i := slices.IndexFunc(old.Sessions, func(s oldSession) bool { return s.Name == "refreshed" })
		old.now = old.Sessions[i].Session.Tokens.AccessExpiry.Add(-time.Second)
		m.settings.Load().Config.IdleTimeout = 0
		got, err := m.Load(httptest.NewRecorder(), old.request(old.Sessions[i].Site, old.Sessions[i].Cookie))
		if err != nil || !slices.Equal(got.Groups, []string{"new"}) || !slices.Equal(asked, []string{"refresh-2"}) {
			t.Errorf("%+v %v, asked with %q", got, err, asked)
		}
	})
}
