package hubspot

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// logText collects log lines.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count returns how often a text was logged.
func (l *logText) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// failure is what happens to a replica, and how often each log line is written about it.
type failure struct {
	run  func(t *testing.T, e *env, r *replica)
	want map[string]int
}

func failures() map[string]failure {
	const queueFails, queueWorks = "cannot process the contact queue", "the contact queue is processed again"
	const rejected, accepted = "HubSpot rejects all calls", "HubSpot accepts calls again"
	const undecryptable = "cannot decrypt an entry of the contact queue"
	return map[string]failure{
		"Redis is unavailable for a minute": {func(_ *testing.T, e *env, _ *replica) {
			e.outage()
		}, map[string]int{queueFails: 1, queueWorks: 1}},
		"Redis is unavailable twice": {func(_ *testing.T, e *env, _ *replica) {
			e.outage()
			e.outage()
		}, map[string]int{queueFails: 2, queueWorks: 2}},
		"a Redis key has the wrong type again and again": {func(t *testing.T, e *env, _ *replica) {
			for range 20 {
				e.mini.Del("hubgate:{crm}:lease")
				e.mini.HSet("hubgate:{crm}:lease", "not", "ours")
				time.Sleep(500 * time.Millisecond)
			}
			e.mini.Del("hubgate:{crm}:lease")
			time.Sleep(time.Minute)
		}, map[string]int{queueWorks: 1, queueFails: 1}},
		"the token is rejected for an hour, then replaced": {func(_ *testing.T, e *env, r *replica) {
			e.setToken("wrong")
			e.enqueue(r, testLogin("ada@example.com"))
			time.Sleep(time.Hour)
			e.setToken("pat-na1-test")
			time.Sleep(time.Minute)
		}, map[string]int{rejected: 1, accepted: 1}},
		"the token is rejected through outages, and so is the next": {func(_ *testing.T, e *env, r *replica) {
			e.setToken("wrong")
			e.enqueue(r, testLogin("ada@example.com"))
			time.Sleep(time.Hour)
			e.outage()
			time.Sleep(time.Hour)
			e.setToken("wrong as well")
			time.Sleep(time.Hour)
		}, map[string]int{rejected: 2, accepted: 0}},
		"an entry cannot be decrypted by any worker": {func(t *testing.T, e *env, _ *replica) {
			if _, err := e.mini.XAdd("hubgate:{crm}:stream", "*", []string{"d", "damaged"}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				e.outage()
			}
		}, map[string]int{undecryptable: 1}},
	}
}

func TestFailureIsLoggedOnceAtStartAndEnd(t *testing.T) {
	t.Parallel()
	for name, c := range failures() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &logText{}
				e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) { c.Token = "pat-na1-test" })
				e.log = log
				r := e.startReplica()
				time.Sleep(10 * time.Second)
				c.run(t, e, r)
				r.stop()
				for text, want := range c.want {
					if got := log.count(text); got != want {
						t.Errorf("%d times %q, want %d", got, text, want)
					}
				}
			})
		})
	}
}

// outage stops Redis for a minute and runs it for another.
func (e *env) outage() {
	e.stopRedis()
	time.Sleep(time.Minute)
	e.restartRedis()
	time.Sleep(time.Minute)
}
