package auth

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// commands counts the commands that the gateway sends to Redis.
type commands struct {
	all   atomic.Int64
	short atomic.Int64 // with a short deadline
}

func (c *commands) note(ctx context.Context, name string) {
	if name == "hello" || name == "client" { // a new connection's
		return
	}
	c.all.Add(1)
	if end, ok := ctx.Deadline(); ok && time.Until(end) < storeTime/2 {
		c.short.Add(1)
	}
}

func (c *commands) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.note(ctx, cmd.Name())
		return next(ctx, cmd)
	}
}

func (c *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.note(ctx, cmds[0].Name())
		return next(ctx, cmds)
	}
}

func (w *world) watchRedis() *commands {
	c := &commands{}
	w.handler.deps.Redis.AddHook(c)
	return c
}

// replay sends a callback n times at once, as the browser, and returns the statuses and how many came with a session's
// cookie.
func (w *world) replay(b *browser, callback string, n int) (statuses map[int]int, cookies int) {
	w.t.Helper()
	statuses = map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			req, _ := http.NewRequestWithContext(w.t.Context(), http.MethodGet, callback, nil)
			for _, c := range b.jar.Cookies(req.URL) {
				req.AddCookie(c)
			}
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				return
			}
			res.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			statuses[res.StatusCode]++
			if strings.Contains(strings.Join(res.Header["Set-Cookie"], "\n"), "hubgate=") {
				cookies++
			}
		})
	}
	all.Wait()
	return statuses, cookies
}

func TestRepeatedCallbacksOfFinishedAttemptAreCheap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(*world, *browser) string // begins a login and returns its callback
		want    int
	}{
		"made-up code": {func(w *world, b *browser) string {
			state := mustParse(w.t, b.step(w.gateway.URL+"/members/").Header.Get("Location")).Query().Get("state")
			return w.gateway.URL + "/oauth2/callback?" + url.Values{"code": {"nonsense"}, "state": {state}}.Encode()
		}, 400},
		"expired code": {func(w *world, b *browser) string {
			callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
			w.pass(10 * time.Minute) // too old for the provider
			return callback
		}, 400},
		"a successful login, its result expired": {func(w *world, b *browser) string {
			callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
			w.replay(b, callback, 1)
			w.pass(resultKept + time.Second)
			return callback
		}, 400},
		"a successful login": {func(w *world, b *browser) string {
			callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
			w.replay(b, callback, 1)
			return callback
		}, 302},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			b := w.browser()
			callback := c.prepare(w, b)
			w.replay(b, callback, 1)
			redis := w.watchRedis()
			if got, _ := w.replay(b, callback, 20); got[c.want] != 20 {
				t.Errorf("statuses: %v", got)
			}
			if n := redis.all.Load(); n > 60 {
				t.Errorf("%d commands for 20 callbacks", n)
			}
		})
	}
}

func TestRepeatedCallbacksShareOnePoller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	reached, release := make(chan struct{}), make(chan struct{})
	w.asked = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			close(reached)
			<-release
		}
	}
	first := make(chan map[int]int)
	go func() { got, _ := w.replay(b, callback, 1); first <- got }()
	<-reached
	redis := w.watchRedis()
	var arrived atomic.Int64
	w.began = func(*http.Request) {
		if arrived.Add(1) == 20 {
			close(release)
		}
	}
	got, cookies := w.replay(b, callback, 20)
	if got[302] != 20 || cookies != 20 || (<-first)[302] != 1 {
		t.Errorf("statuses: %v, %d with the session's cookie", got, cookies)
	}
	if n := redis.all.Load(); n > 20*3+20 {
		t.Errorf("%d commands for 20 callbacks", n)
	}
}

func TestRepeatedCallbackNeverShortensCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	state, _ := parseState(w.handler.deps.Ring, mustParse(t, callback).Query().Get("state"))
	w.must(w.redis.Set(w.handler.claims.key(state), "a callback that never ends"))
	redis := w.watchRedis()
	if got, _ := w.replay(b, callback, 3); got[400] != 3 {
		t.Errorf("statuses: %v", got)
	}
	if redis.short.Load() > 0 || redis.all.Load() > 3*3+12 {
		t.Errorf("%d commands, %d with a short deadline", redis.all.Load(), redis.short.Load())
	}
}

func TestRepeatedCallbackIgnoresTooLongResult(t *testing.T) {
	t.Parallel()
	for _, size := range []int{maxResultBytes + 1, 2 * maxResultBytes, 8 << 20} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			b := w.browser()
			callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
			state, _ := parseState(w.handler.deps.Ring, mustParse(t, callback).Query().Get("state"))
			w.must(w.redis.Set(w.handler.claims.key(state), "another callback"))
			w.must(w.redis.Set(w.handler.claims.resultKey(state), strings.Repeat("x", size)))
			left, err := w.handler.claims.progress(t.Context(), state)
			if err != nil || len(left.sealed) != 0 || !left.finished {
				t.Errorf("%d bytes, %v", len(left.sealed), err)
			}
			if got := b.step(callback); got.StatusCode != http.StatusBadRequest {
				t.Errorf("%d", got.StatusCode)
			}
		})
	}
}

func TestWaitersAreBounded(t *testing.T) {
	t.Parallel()
	q := &waiters{byAttempt: map[string]int{}}
	var entered []string
	for i := range 2 * maxWaiters {
		for _, attempt := range []string{"one", strconv.Itoa(i)} {
			if q.enter(attempt) {
				entered = append(entered, attempt)
			}
		}
	}
	if q.byAttempt["one"] != maxWaitersPerAttempt || len(entered) != maxWaiters {
		t.Errorf("%d wait for one attempt, %d in all", q.byAttempt["one"], len(entered))
	}
	for _, attempt := range entered {
		q.leave(attempt)
	}
	if q.all != 0 || len(q.byAttempt) != 0 || !q.enter("one") {
		t.Errorf("after all left: %d, %v", q.all, q.byAttempt)
	}
}
