package redisclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hubgate/hubgate/internal/trace"
)

// Clients are all clients of Redis in the process; they differ in what a delay or a repeated command costs.
type Clients struct {
	Request  redis.UniversalClient // a visitor waits: short timeouts, one retry, the breaker
	Queue    redis.UniversalClient // writes that must not happen twice: no retry
	Block    redis.UniversalClient // subscriptions and blocking reads: each holds a connection
	health   redis.UniversalClient // of the probe: shares no connection with visitors
	oneShot  redis.UniversalClient // of the probe: makes a new connection for each command
	Probe    *Probe
	Embedded *miniredis.Miniredis // the server of mode embedded, else nil
}

// Deps are the dependencies of the clients.
type Deps struct {
	Credentials      func() (username, password string) // called for each new connection, since passwords are rotated
	SentinelPassword func() string                      // likewise
	Observe          func(ctx context.Context, err error, took time.Duration)
	Report           func(Result) // called when a probe finds another status
	Tracer           *trace.Tracer
	Log              *slog.Logger
}

// Open creates the clients. It does not wait for a connection, so a gateway starts while Redis is unavailable.
func Open(cfg Config, deps Deps) (*Clients, error) {
	c := &Clients{Probe: newProbe(newBreaker(), deps.Report, deps.Log)}
	base := redis.UniversalOptions{
		MasterName: cfg.MasterName, IsClusterMode: cfg.Mode == "cluster",
		CredentialsProviderContext: credentials(deps.Credentials),
		ContextTimeoutEnabled:      true, // otherwise a command outlives its request
		DialTimeout:                time.Second, DialerRetries: 1,
		ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
		PoolSize: 64, PoolTimeout: time.Second, MinIdleConns: 2, ConnMaxIdleTime: 5 * time.Minute,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DisableIdentity:          true,
	}
	if err := c.setAddress(cfg, &base); err != nil {
		return nil, err
	}
	if cfg.Mode == "sentinel" && cfg.SentinelPassword != "" {
		base.SentinelPassword, base.Dialer = sentinelDialer(base, deps.SentinelPassword)
	}
	c.create(base)
	c.Probe.queries = newQueries(c.health, c.oneShot, cfg.KeyPrefix, cfg.Mode == "cluster")
	c.Request.AddHook(measureHook{deps.Observe, deps.Tracer})
	c.Request.AddHook(c.Probe.breaker)
	c.Queue.AddHook(measureHook{deps.Observe, deps.Tracer})
	return c, nil
}

// create creates the clients. go-redis opens their MinIdleConns connections in the background.
func (c *Clients) create(base redis.UniversalOptions) {
	request, queue, block, health := base, base, base, base
	request.MaxRetries, queue.MaxRetries, block.MaxRetries, health.MaxRetries = 1, -1, 1, -1
	block.ReadTimeout, block.PoolSize = 10*time.Second, 16
	// After PoolSize failed dials go-redis dials on its own, only once a second, and notices late that Redis is back.
	health.PoolSize, health.MinIdleConns = 4096, 0
	oneShot := health
	oneShot.MaxIdleConns = -1 // keeps no connection
	c.Request, c.Queue = redis.NewUniversalClient(&request), redis.NewUniversalClient(&queue)
	c.Block, c.health = redis.NewUniversalClient(&block), redis.NewUniversalClient(&health)
	c.oneShot = redis.NewUniversalClient(&oneShot)
}

// setAddress sets the addresses, the database and TLS. It starts the server of mode embedded.
func (c *Clients) setAddress(cfg Config, o *redis.UniversalOptions) error {
	if cfg.Mode == "embedded" {
		c.Embedded = miniredis.NewMiniRedis()
		c.Embedded.ClockTTL(true) // otherwise no key expires
		if err := c.Embedded.StartAddr("127.0.0.1:0"); err != nil {
			return fmt.Errorf("session: embedded redis: %w", err)
		}
		o.Addrs, o.CredentialsProviderContext = []string{c.Embedded.Addr()}, nil
		return nil
	}
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		if err != nil {
			return fmt.Errorf("session: redis.urls: %w", err)
		}
		address := u.Host
		if u.Port() == "" {
			address = net.JoinHostPort(u.Hostname(), "6379")
		}
		o.Addrs = append(o.Addrs, address)
		if database := strings.Trim(u.Path, "/"); database != "" {
			if o.DB, err = strconv.Atoi(database); err != nil {
				return fmt.Errorf("session: redis.urls: database %q is not a number", database)
			}
		}
		if u.Scheme == "rediss" {
			if o.TLSConfig, err = TLSConfig(cfg.CAFile); err != nil {
				return err
			}
		}
	}
	return nil
}

func credentials(current func() (string, string)) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) {
		username, password := current()
		return username, password, nil
	}
}

// Close closes all clients and stops the embedded server.
func (c *Clients) Close() error {
	err := errors.Join(c.Request.Close(), c.Queue.Close(), c.Block.Close(), c.health.Close(), c.oneShot.Close())
	if c.Embedded != nil {
		c.Embedded.Close()
	}
	return err
}
