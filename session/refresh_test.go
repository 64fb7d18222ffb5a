package session

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// provider counts refreshes and responds as the test sets it.
type provider struct {
	calls  atomic.Int32
	err    error
	rotate bool
	groups []string
}

func (p *provider) refresh(w *world) RefreshFunc {
	return func(_ context.Context, token string) (Tokens, User, error) {
		n := p.calls.Add(1)
		if p.err != nil {
			return Tokens{}, User{}, p.err
		}
		u := ada().User
		u.Groups = p.groups
		t := Tokens{Access: "a", AccessExpiry: w.clock.Now().Add(time.Hour)}
		if p.rotate {
			t.Refresh = token + string(rune('0'+n))
		}
		return t, u, nil
	}
}

// shortLived returns a session whose access token expires in an hour.
func (w *world) shortLived() Session {
	s := ada()
	s.Tokens.AccessExpiry = w.clock.Now().Add(time.Hour)
	return s
}

func TestRefreshOncePerSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &provider{rotate: true, groups: []string{"new"}}
	replicas := []*Manager{w.replica(p.refresh(w)), w.replica(p.refresh(w)), w.replica(p.refresh(w))}
	cookie, _ := w.login(replicas[0], w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s, err := replicas[i%3].Load(httptest.NewRecorder(), w.request(cookie))
			if err != nil || !s.HasGroup("new") && !s.HasGroup("members") {
				t.Errorf("request %d: %v", i, err)
			}
		}()
	}
	wg.Wait()
	if n := p.calls.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	for i, m := range replicas {
		if s, err := w.load(m, cookie); err != nil || !s.HasGroup("new") || s.HasGroup("members") {
			t.Errorf("replica %d has the old claims: %v", i, err)
		}
	}
}

func TestRefreshKeepsTheOldTokenIfNoneIsReturned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &provider{}
	m := w.replica(p.refresh(w))
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	if s, err := w.load(m, cookie); err != nil || s.Tokens.Refresh != "refresh-secret" {
		t.Errorf("%v", err)
	}
}

func TestDeniedRefreshEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica((&provider{err: ErrRefreshDenied}).refresh(w))
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("%q", got)
	}
}

func TestFailedRefreshBacksOffAndKeepsTheSessionWithinGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := &provider{err: errors.New("no answer")}
	m := w.replica(p.refresh(w))
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	for range 5 {
		if got := w.reason(m, cookie); got != "" {
			t.Fatalf("the session was not kept: %q", got)
		}
	}
	if n := p.calls.Load(); n != 1 {
		t.Errorf("the provider was called %d times without back-off", n)
	}
	w.clock.pass(6 * time.Second)
	w.reason(m, cookie)
	if n := p.calls.Load(); n != 2 {
		t.Errorf("called %d times after the back-off", n)
	}
	w.clock.pass(time.Hour + time.Minute)
	if got := w.reason(m, cookie); got != "unavailable" {
		t.Errorf("after refresh_grace: %q", got)
	}
	p.err = nil
	w.clock.pass(time.Minute)
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("after the provider came back: %q", got)
	}
}

func TestRefreshNeverRestoresAnEndedSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	var revoked atomic.Value
	m := w.replica(func(context.Context, string) (Tokens, User, error) {
		close(entered)
		<-leave
		return Tokens{Access: "a", Refresh: "new-token", AccessExpiry: w.clock.Now().Add(time.Hour)}, ada().User, nil
	})
	m.refresher.revoke = func(_ context.Context, token string) { revoked.Store(token) }
	cookie, s := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	done := make(chan string)
	go func() { done <- w.reason(m, cookie) }()
	<-entered
	if ok, err := w.replica(nil).EndRef(t.Context(), s.Ref); !ok || err != nil {
		t.Fatal(ok, err)
	}
	close(leave)
	if got := <-done; got != string(RecordMissing) {
		t.Errorf("the request got %q", got)
	}
	if w.redis.Exists("hubgate:s:{" + s.Ref + "}") {
		t.Error("the record was written again")
	}
	if revoked.Load() != "new-token" {
		t.Errorf("the new token was not revoked: %v", revoked.Load())
	}
}

func TestRefreshWithAnotherUsersTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(func(context.Context, string) (Tokens, User, error) {
		u := ada().User
		u.Subject = "mallory"
		return Tokens{Access: "a", AccessExpiry: w.clock.Now().Add(time.Hour)}, u, nil
	})
	cookie, _ := w.login(m, w.shortLived())
	w.clock.pass(59*time.Minute + 30*time.Second)
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("%q", got)
	}
}

func TestListAndEndSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookies := map[string]*http.Cookie{}
	for range 45 {
		c, s := w.login(m, ada())
		cookies[s.Ref] = c
		w.clock.pass(time.Millisecond)
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		page, err := m.List(t.Context(), Query{Cursor: cursor, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Sessions {
			if seen[s.Ref] || s.Email != "ada@example.com" {
				t.Errorf("%s is listed again, or with email %q", s.Ref, s.Email)
			}
			seen[s.Ref] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != len(cookies) {
		t.Errorf("listed %d of %d", len(seen), len(cookies))
	}
	for ref := range seen {
		if ok, err := m.EndRef(t.Context(), ref); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if got := w.reason(m, cookies[ref]); got != string(RecordMissing) {
			t.Errorf("ended session: %q", got)
		}
		break
	}
	if n, err := m.EndByEmail(t.Context(), "ADA@example.com"); n != len(cookies)-1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	if page, err := m.List(t.Context(), Query{Limit: 10}); err != nil || len(page.Sessions) != 0 {
		t.Errorf("left: %d, %v", len(page.Sessions), err)
	}
	if _, err := m.List(t.Context(), Query{Cursor: "nonsense", Limit: 10}); !errors.Is(err, ErrCursor) {
		t.Errorf("a forged cursor: %v", err)
	}
}

func TestPanickingRefreshKeepsTheSession(t *testing.T) {
	t.Parallel()
	var nowhere map[string]int
	for name, fault := range map[string]func() (Tokens, User, error){
		"a value":          func() (Tokens, User, error) { panic("unexpected type of a claim") },
		"a nil map":        func() (Tokens, User, error) { nowhere["sub"] = 1; return Tokens{}, User{}, nil },
		"an index":         func() (Tokens, User, error) { _ = []byte(nil)[len(nowhere)]; return Tokens{}, User{}, nil },
		"a type assertion": func() (Tokens, User, error) { return Tokens{}, User{Subject: any(1).(string)}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := &provider{}
			var broken atomic.Bool
			broken.Store(true)
			var log bytes.Buffer
			m := w.replica(func(ctx context.Context, token string) (Tokens, User, error) {
				if broken.Load() {
					p.calls.Add(1)
					return fault()
				}
				return p.refresh(w)(ctx, token)
			})
			m.refresher.log = slog.New(slog.NewTextHandler(&log, nil))
			cookie, s := w.login(m, w.shortLived())
			w.clock.pass(59*time.Minute + 30*time.Second)
			for range 3 {
				if got := w.reason(m, cookie); got != "" {
					t.Fatalf("the session was not kept: %q", got)
				}
			}
			if n := p.calls.Load(); n != 1 {
				t.Errorf("the provider was called %d times without back-off", n)
			}
			if lines := log.String(); strings.Count(lines, "panicked") != 1 || !strings.Contains(lines, s.Ref) {
				t.Errorf("the log: %s", lines)
			}
			broken.Store(false)
			w.clock.pass(time.Minute)
			if got := w.reason(m, cookie); got != "" || p.calls.Load() != 2 {
				t.Errorf("afterwards: %q after %d calls", got, p.calls.Load())
			}
		})
	}
}
