package doctor

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/setting"
)

// describing is a Redis that serves only PING, INFO and CONFIG GET.
func describing(t *testing.T, info string, config map[string]string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for in := bufio.NewReader(conn); ; {
					words, err := command(in)
					if err != nil {
						return
					}
					fmt.Fprint(conn, reply(words, info, config))
				}
			}()
		}
	}()
	return "redis://" + listener.Addr().String() + "/0"
}

func command(in *bufio.Reader) ([]string, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "*")))
	words := make([]string, 0, n)
	for range n {
		if line, err = in.ReadString('\n'); err != nil {
			return nil, err
		}
		size, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "$")))
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return nil, err
		}
		words = append(words, strings.ToLower(string(word[:size])))
	}
	return words, err
}

func reply(words []string, info string, config map[string]string) string {
	switch {
	case words[0] == "ping":
		return "+PONG\r\n"
	case words[0] == "info":
		return fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
	case words[0] == "config" && config != nil:
		value := config[words[2]]
		return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(words[2]), words[2], len(value), value)
	}
	return "-ERR unknown command\r\n"
}

const redisURLs = "session.redis.urls"

// redisFault is a configuration of Redis, and the finding that it must cause.
type redisFault struct {
	cfg                         redisclient.Config
	status, detail, cure, where string
}

func single(url string) redisclient.Config {
	return redisclient.Config{Mode: "single", URLs: []string{url}}
}

// connectionFaults are faults on the way to Redis.
func connectionFaults(t *testing.T) map[string]redisFault {
	t.Helper()
	locked, plain := miniredis.RunT(t), miniredis.RunT(t)
	locked.RequireAuth("right")
	certificate := certificateFor(t, "redis.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	encrypted, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encrypted.Close)
	withPassword := single("redis://" + locked.Addr())
	withPassword.Password = "wrong"
	return map[string]redisFault{
		"refused":      {single("redis://127.0.0.1:1/0"), setting.Failed, "refused", "start Redis", redisURLs},
		"unknown host": {single("redis://redis.invalid:6379/0"), setting.Failed, "", "", redisURLs},
		"missing password": {
			single("redis://" + locked.Addr()), setting.Failed, "NOAUTH", "write the password", "session.redis.password",
		},
		"wrong password": {
			withPassword, setting.Failed, "WRONGPASS", "right username and password", "session.redis.password",
		},
		"TLS not offered": {single("rediss://" + plain.Addr()), setting.Failed, "", "does not use TLS", redisURLs},
		"TLS required":    {single("redis://" + encrypted.Addr()), setting.Failed, "", "rediss://", redisURLs},
		"unknown issuer": {
			single("rediss://" + encrypted.Addr()), setting.Failed, "certificate", "authority", "session.redis.ca_file",
		},
		"no cluster": {
			redisclient.Config{Mode: "cluster", URLs: []string{"redis://127.0.0.1:1"}},
			setting.Failed, "refused", "start Redis", redisURLs,
		},
	}
}

// serverFaults are faults of Redis itself.
func serverFaults(t *testing.T) map[string]redisFault {
	t.Helper()
	const good = "redis_version:7.2.4\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:master\r\n"
	const redisConfig = "Redis' configuration"
	return map[string]redisFault{
		"healthy": {
			single(describing(t, good, map[string]string{"maxmemory-policy": "noeviction", "appendfsync": "everysec"})),
			setting.OK, "version 7.2.4", "", "",
		},
		"too old": {
			single(describing(t, "redis_version:5.0.14\r\n", nil)), setting.Failed, "5.0.14", "6.2", redisURLs,
		},
		"drops sessions": {
			single(describing(t, good, map[string]string{"maxmemory-policy": "volatile-ttl"})),
			setting.Warning, "volatile-ttl", "noeviction", redisConfig,
		},
		"drops sessions, no CONFIG": {
			single(describing(t, strings.Replace(good, "noeviction", "allkeys-lru", 1), nil)),
			setting.Warning, "allkeys-lru", "noeviction", redisConfig,
		},
		"not persistent": {
			single(describing(t, strings.Replace(good, "aof_enabled:1", "aof_enabled:0", 1), nil)),
			setting.Warning, "appendonly", "appendonly yes", redisConfig,
		},
		"replica": {
			single(describing(t, strings.Replace(good, "master", "slave", 1), nil)),
			setting.Warning, "replica", "master", redisConfig,
		},
	}
}

func TestRedisFindingNamesTheFault(t *testing.T) {
	t.Parallel()
	faults := connectionFaults(t)
	maps.Copy(faults, serverFaults(t))
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := healthy(nil, nil)
			d.cfg.Session.Redis = c.cfg
			all := d.checkRedis(t.Context())
			for _, f := range all {
				if f.Status == c.status && strings.Contains(f.Detail, c.detail) &&
					strings.Contains(f.Cure, c.cure) && strings.Contains(f.Where, c.where) {
					return
				}
			}
			t.Errorf("%+v", all)
		})
	}
}
