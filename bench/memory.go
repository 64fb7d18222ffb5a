package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

// runMemory measures what docs/sizing.md states: memory of hubgate when idle, per session and per connection, CPU time
// per request, and memory of Redis per queued contact.
func runMemory(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	sessions := flags.Int("sessions", 50_000, "sessions that send a request each")
	connections := flags.Int("connections", 5_000, "idle connections, each after one request")
	contacts := flags.Int("contacts", 50_000, "contacts in the queue")
	if err := flags.Parse(args); err != nil {
		return err
	}
	t, err := newTestbed(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	_, origin, err := t.startSelf("origin")
	if err != nil {
		return err
	}
	if err := t.measureSessions(origin, *sessions); err != nil {
		return err
	}
	if err := t.measureConnections(origin, *connections); err != nil {
		return err
	}
	return t.measureQueue(*contacts)
}

// measured is a gateway whose memory is measured.
type measured struct {
	*gateway
	redis, key string
	last       float64 // resident memory at the last call of grown, in bytes
}

func (t *testbed) watch(name, origin string) (*measured, error) {
	_, addr, err := t.redis()
	if err != nil {
		return nil, err
	}
	w := &measured{redis: addr, key: newKey()}
	w.gateway, err = t.gateway(gatewayConfig{name: name, origin: origin, redis: addr, key: w.key, issuer: issuer,
		cacheTTL: "5s", access: true})
	return w, err
}

// grown prints the resident memory and returns by how much it has grown since the last call.
func (w *measured) grown(when string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		return 0, err
	}
	now := float64(pages * os.Getpagesize())
	growth := now - w.last
	w.last = now
	fmt.Printf("hubgate's memory %s: %.0f MiB\n", when, now/(1<<20))
	return growth, nil
}

// send sends requests over the connections of a generator and prints the CPU time of each.
func (w *measured) send(ctx context.Context, g *generator, requests [][]byte, what string) error {
	before, err := w.cpu()
	if err != nil {
		return err
	}
	err = g.send(ctx, len(requests), func(i int) []byte { return requests[i] })
	if err != nil {
		return fmt.Errorf("%w\n%s", err, w.output())
	}
	after, err := w.cpu()
	fmt.Printf("hubgate's CPU time of a request for %s: %.0f µs\n", what,
		float64((after-before).Microseconds())/float64(len(requests)))
	return err
}

// measureSessions opens public pages, then a protected one with each session, then these again from the cache.
func (t *testbed) measureSessions(origin string, n int) error {
	w, err := t.watch("sessions", origin)
	if err != nil {
		return err
	}
	if _, err := w.grown("after the start"); err != nil {
		return err
	}
	starter, err := newSessionStarter(w.key, w.redis, w.host)
	if err != nil {
		return err
	}
	defer starter.close()
	cookies, err := starter.fill(t.ctx, n, n)
	if err != nil {
		return err
	}
	g, err := newGenerator(w.addr, 64)
	if err != nil {
		return err
	}
	defer g.close()
	public, members := make([][]byte, n), make([][]byte, n)
	for i, cookie := range cookies {
		public[i], members[i] = get(w.host, "/pricing", ""), get(w.host, "/members/handbook", cookie)
	}
	if err := w.send(t.ctx, g, public, "a public page"); err != nil {
		return err
	}
	if _, err := w.grown("after public pages"); err != nil {
		return err
	}
	if err := w.send(t.ctx, g, members, "a session that is read from Redis"); err != nil {
		return err
	}
	growth, err := w.grown(fmt.Sprintf("with %d sessions", n))
	fmt.Printf("per session: %.1f KiB\n", growth/float64(n)/1024)
	return err
}

// measureConnections opens connections that stay open after one request.
func (t *testbed) measureConnections(origin string, n int) error {
	w, err := t.watch("connections", origin)
	if err != nil {
		return err
	}
	if _, err := w.grown("after the start"); err != nil {
		return err
	}
	g, err := newGenerator(w.addr, n)
	if err != nil {
		return err
	}
	defer g.close()
	request := get(w.host, "/pricing", "")
	for _, c := range g.conns {
		if err := c.exchange(request); err != nil {
			return err
		}
	}
	growth, err := w.grown(fmt.Sprintf("with %d idle connections", n))
	fmt.Printf("per connection: %.1f KiB\n", growth/float64(n)/1024)
	return err
}

// measureQueue queues contacts of people like Cognito's.
func (t *testbed) measureQueue(n int) error {
	_, addr, err := t.redis()
	if err != nil {
		return err
	}
	key := newKey()
	starter, err := newSessionStarter(key, addr, "localhost:1")
	if err != nil {
		return err
	}
	defer starter.close()
	ring, err := seal.New(key)
	if err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	queue := outbox.New(outbox.Deps{Queue: rdb, Block: rdb, KeyPrefix: "hubgate:", Ring: ring, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Mapped: func(l outbox.Login) outbox.Login { return l }})
	before, err := starter.memory(t.ctx)
	if err != nil {
		return err
	}
	for i := range n {
		if err := queue.Add(t.ctx, outbox.Entry{Login: login(i)}); err != nil {
			return err
		}
	}
	after, err := starter.memory(t.ctx)
	fmt.Printf("Redis memory per queued contact: %.0f bytes\n", (after-before)/float64(n))
	return err
}

// login returns what a login of the i-th visitor queues.
func login(i int) outbox.Login {
	user := visitor(i).User
	return outbox.Login{Issuer: user.Issuer, Subject: user.Subject, Email: user.Email, EmailVerified: true,
		Name: user.Name, Groups: user.Groups, Claims: user.Claims, Host: "www.example.com", FirstPage: "/members/handbook",
		UTK: "0123456789abcdef0123456789abcdef", Address: "203.0.113.9", At: time.Now(),
		SessionEnds: time.Now().Add(12 * time.Hour)}
}
