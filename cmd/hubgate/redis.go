package main

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

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/session"
)

// redisClients are the only clients of Redis: for the request path, for the queue, and for what waits.
type redisClients struct {
	Request redis.UniversalClient // a visitor waits: short time-outs, one retry, a breaker
	Queue   redis.UniversalClient // writes that must not happen twice: no retry
	Block   redis.UniversalClient // subscriptions and blocking reads: each holds a connection
	health  redis.UniversalClient // the probe's: its connections are not the visitors'
	oneShot redis.UniversalClient // the probe's: each command has a new connection
	probe   *redisProbe
	server  *miniredis.Miniredis // of mode embedded
}

// redisDeps is what the clients need of the rest.
type redisDeps struct {
	Credentials      func() (username, password string) // as of now: asked at each new connection
	SentinelPassword func() string                      // likewise
	Observe          func(ctx context.Context, err error, took time.Duration)
	Report           func(redisState) // each change of what the probe finds
	Tracer           *trace.Tracer
	Log              *slog.Logger
}

// openRedis makes the clients. It dials nothing: a gateway starts while Redis is away.
func openRedis(cfg session.RedisConfig, deps redisDeps) (*redisClients, error) {
	c := &redisClients{probe: newRedisProbe(newBreaker(), deps.Report, deps.Log)}
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
	c.probe.of(c.health, c.oneShot, cfg.KeyPrefix, cfg.Mode == "cluster")
	c.Request.AddHook(measureHook{deps.Observe, deps.Tracer})
	c.Request.AddHook(c.probe.breaker)
	c.Queue.AddHook(measureHook{deps.Observe, deps.Tracer})
	return c, nil
}

// place says where Redis is.
func (c *redisClients) place(cfg session.RedisConfig, o *redis.UniversalOptions) error {
	if cfg.Mode == "embedded" {
		c.server = miniredis.NewMiniRedis()
		c.server.ClockTTL(true) // else nothing would ever expire
		if err := c.server.StartAddr("127.0.0.1:0"); err != nil {
			return fmt.Errorf("session: embedded redis: %w", err)
		}
		o.Addrs, o.CredentialsProviderContext = []string{c.server.Addr()}, nil
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
			if o.TLSConfig, err = redisTLS(cfg.CAFile); err != nil {
				return err
			}
		}
	}
	return nil
}

func redisTLS(caFile string) (*tls.Config, error) {
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

func (c *redisClients) close() error {
	err := errors.Join(c.Request.Close(), c.Queue.Close(), c.Block.Close(), c.health.Close(), c.oneShot.Close())
	if c.server != nil {
		c.server.Close()
	}
	return err
}

// measureHook reports each command.
type measureHook struct {
	observe func(ctx context.Context, err error, took time.Duration)
	tracer  *trace.Tracer
}

func (h measureHook) measure(ctx context.Context, command string, ask func(context.Context) error) error {
	ctx, span := redisSpan(ctx, h.tracer, command)
	defer span.End()
	start := time.Now()
	err := ask(ctx)
	cause := fault(err)
	if cause != nil && ctx.Err() != nil { // go-redis reports the caller's deadline as an i/o timeout
		cause = context.Canceled
	}
	h.observe(ctx, cause, time.Since(start))
	if cause != nil {
		span.Fail(string(dependency.ResultOf(cause)))
	}
	return err
}

// DialHook is not needed.
func (h measureHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook measures one command.
func (h measureHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.measure(ctx, cmd.Name(), func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook measures a pipeline as one.
func (h measureHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.measure(ctx, "pipeline", func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

func (g *gateway) observeRedis(ctx context.Context, err error, took time.Duration) {
	g.dependencies.Observe(dependency.Redis, dependency.Call{
		Op: dependency.OpCommand, Result: dependency.ResultOf(err), Took: took, TraceID: trace.RecordedID(ctx),
	})
}

// reportRedis makes what the probe found the state of Redis that operators see.
func (g *gateway) reportRedis(found redisState) {
	detail := "answers"
	switch found.trouble() {
	case redisTakesNoWrites:
		detail = "answers, but takes no writes"
	case redisDown:
		detail = "does not answer"
	}
	g.dependencies.SetUp(dependency.Redis, found.trouble() == redisServes, detail)
}
