package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
)

// lossy is a connection to Redis that executes commands and loses the replies.
type lossy struct{ on atomic.Bool }

var errLost = errors.New("reply lost")

func (l *lossy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if l.on.Load() && strings.HasPrefix(cmd.Name(), "eval") && !redis.HasErrorPrefix(err, "NOSCRIPT") {
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

func (l *lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestClaimWithLostReplyIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	others := w.browser()
	others.jar.SetCookies(mustParse(t, w.gateway.URL), b.jar.Cookies(mustParse(t, w.gateway.URL)))
	w.lossy.on.Store(true)
	for range 2 {
		got := b.step(callback)
		code := mustParse(t, callback).Query().Get("code")
		retry := strings.Contains(got.body, `href=""`)
		if got.StatusCode != http.StatusServiceUnavailable || !retry || strings.Contains(got.body, code) {
			t.Errorf("no retry link, or the code in the page: %d %s", got.StatusCode, got.body)
		}
	}
	if len(w.redis.Keys()) != 1 {
		t.Fatalf("the claim was not made: %v", w.redis.Keys())
	}
	w.lossy.on.Store(false)
	w.redis.SetError("ERR unavailable") // the next command does not reach Redis
	if got := b.step(callback); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without Redis: %d", got.StatusCode)
	}
	w.redis.SetError("")
	if got := b.get(callback); got.StatusCode != 200 || got.Request.URL.Path != "/members/" {
		t.Errorf("retry: %d %s", got.StatusCode, got.body)
	}
	if got := others.step(callback); got.StatusCode != http.StatusFound || len(w.logins) != 1 {
		t.Errorf("callback without a claim: %d, %d logins", got.StatusCode, len(w.logins))
	}
}

func TestCallbackSurvivesDoubleClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	callback := w.consent(b, w.atProvider(b, "/members/"), "alice@example.com")
	first, cancel := context.WithCancel(t.Context())
	reached, cut, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var spending, serving sync.Once
	w.asked = func(r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/token") {
			spending.Do(func() { close(reached); <-left })
		}
	}
	w.began = func(r *http.Request) {
		if r.URL.Path == "/oauth2/callback" {
			serving.Do(func() { context.AfterFunc(r.Context(), func() { close(cut) }) })
		}
	}
	go func() {
		req, _ := http.NewRequestWithContext(first, http.MethodGet, callback, nil)
		for _, c := range b.jar.Cookies(req.URL) {
			req.AddCookie(c)
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}()
	<-reached
	cancel()
	<-cut // the gateway has noticed
	close(left)
	if got := b.get(callback); got.StatusCode != 200 || got.Request.URL.Path != "/members/" || len(w.logins) != 1 {
		t.Errorf("second callback: %d at %s, %d logins\n%s", got.StatusCode, got.Request.URL, len(w.logins), got.body)
	}
}
