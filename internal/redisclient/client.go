package redisclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hubgate/hubgate/internal/trace"
)

// Clients are the only clients of Redis: for the request path, for the queue, and for what waits.
type Clients struct {
	Request redis.UniversalClient // a visitor waits: short time-outs, one retry, a breaker
	Queue   redis.UniversalClient // writes that must not happen twice: no retry
	Block   redis.UniversalClient // subscriptions and blocking reads: each holds a connection
	health  redis.UniversalClient // the probe's: its connections are not the visitors'
	oneShot redis.UniversalClient // the probe's: each command has a new connection
	Probe   *Probe
	Server  *miniredis.Miniredis // of mode embedded
}

// Deps is what the clients need of the rest.
type Deps struct {
	Credentials      func() (username, password string) // as of now: asked at each new connection
	SentinelPassword func() string                      // likewise
	Observe          func(ctx context.Context, err error, took time.Duration)
	Report           func(ProbeState) // each change of what the probe finds
	Tracer           *trace.Tracer
	Log              *slog.Logger
}

// Open makes the clients. It dials nothing: a gateway starts while Redis is away.
func Open(cfg Config, deps Deps) (*Clients, error) {
	c := &Clients{Probe: newProbe(newBreaker(), deps.Report, deps.Log)}
	base := redis.UniversalOptions{
		MasterName: cfg.MasterName, IsClusterMode: cfg.Mode == "cluster",
		CredentialsProviderContext: credentials(deps.Credentials),
		ContextTimeoutEnabled:      true, // else a command outlives the request's patience
		DialTimeout:                time.Second, DialerRetries: 1,
		ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
		PoolSize: 64, PoolTimeout: time.Second, MinIdleConns: 2, ConnMaxIdleTime: 5 * time.Minute,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DisableIdentity:          true,
	}
	if err := c.place(cfg, &base); err != nil {
		return nil, err
	}
	if cfg.Mode == "sentinel" && cfg.SentinelPassword != "" {
		base.SentinelPassword, base.Dialer = sentinelDialer(base, deps.SentinelPassword)
	}
	request, queue, block, health := base, base, base, base
	request.MaxRetries, queue.MaxRetries, block.MaxRetries, health.MaxRetries = 1, -1, 1, -1
	block.ReadTimeout, block.PoolSize = 10*time.Second, 16
	// After PoolSize failed dials go-redis dials by itself, once a second only: a late start for noticing that Redis is back.
	health.PoolSize, health.MinIdleConns = 4096, 0
	c.Request, c.Queue, c.Block = redis.NewUniversalClient(&request), redis.NewUniversalClient(&queue), redis.NewUniversalClient(&block)
	c.health = redis.NewUniversalClient(&health)
	oneShot := health
	oneShot.MaxIdleConns = -1 // none is kept
	c.oneShot = redis.NewUniversalClient(&oneShot)
	c.Probe.of(c.health, c.oneShot, cfg.KeyPrefix, cfg.Mode == "cluster")
	c.Request.AddHook(measureHook{deps.Observe, deps.Tracer})
	c.Request.AddHook(c.Probe.breaker)
	c.Queue.AddHook(measureHook{deps.Observe, deps.Tracer})
	return c, nil
}

// place says where Redis is.
func (c *Clients) place(cfg Config, o *redis.UniversalOptions) error {
	if cfg.Mode == "embedded" {
		c.Server = miniredis.NewMiniRedis()
		c.Server.ClockTTL(true) // else nothing would ever expire
		if err := c.Server.StartAddr("127.0.0.1:0"); err != nil {
			return fmt.Errorf("session: embedded redis: %w", err)
		}
		o.Addrs, o.CredentialsProviderContext = []string{c.Server.Addr()}, nil
		return nil
	}
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		if err != nil {
			return fmt.Errorf("session: redis address: %w", err)
		}
		address := u.Host
		if u.Port() == "" {
			address = net.JoinHostPort(u.Hostname(), "6379")
		}
		o.Addrs = append(o.Addrs, address)
		if database := strings.Trim(u.Path, "/"); database != "" {
			if o.DB, err = strconv.Atoi(database); err != nil {
				return fmt.Errorf("session: redis address: database %q", database)
			}
		}
		if u.Scheme == "rediss" {
			if o.TLSConfig, err = TLS(cfg.CAFile); err != nil {
				return err
			}
		}
	}
	return nil
}

func TLS(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("session: redis.ca_file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("session: redis.ca_file: %s holds no certificate", caFile)
	}
	return config, nil
}

func credentials(now func() (string, string)) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) {
		username, password := now()
		return username, password, nil
	}
}

func (c *Clients) Close() error {
	err := errors.Join(c.Request.Close(), c.Queue.Close(), c.Block.Close(), c.health.Close(), c.oneShot.Close())
	if c.Server != nil {
		c.Server.Close()
	}
	return err
}
