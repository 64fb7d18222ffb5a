package doctor

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
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

func TestRedisFindingNamesTheFault(t *testing.T) {
	t.Parallel()
	const good = "redis_version:7.2.4\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:master\r\n"
	locked, plain := miniredis.RunT(t), miniredis.RunT(t)
	locked.RequireAuth("right")
	certificate := certificateFor(t, "redis.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	encrypted, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encrypted.Close)
	at := func(urls ...string) redisclient.Config { return redisclient.Config{Mode: "single", URLs: urls} }
	withPassword := at("redis://" + locked.Addr())
	withPassword.Password = "wrong"
	const urls, redisConfig = "session.redis.urls", "Redis' configuration"
	for name, c := range map[string]struct {
		cfg                         redisclient.Config
		status, detail, cure, where string
	}{
		"healthy": {
			at(describing(t, good, map[string]string{"maxmemory-policy": "noeviction", "appendfsync": "everysec"})),
			setting.OK, "version 7.2.4", "", "",
		},
		"refused":      {at("redis://127.0.0.1:1/0"), setting.Failed, "refused", "start Redis", urls},
		"unknown host": {at("redis://redis.invalid:6379/0"), setting.Failed, "", "", urls},
		"missing password": {
			at("redis://" + locked.Addr()), setting.Failed, "NOAUTH", "write the password", "session.redis.password",
		},
		"wrong password": {
			withPassword, setting.Failed, "WRONGPASS", "right username and password", "session.redis.password",
		},
		"TLS not offered": {at("rediss://" + plain.Addr()), setting.Failed, "", "does not use TLS", urls},
		"TLS required":    {at("redis://" + encrypted.Addr()), setting.Failed, "", "rediss://", urls},
		"unknown issuer": {
			at("rediss://" + encrypted.Addr()), setting.Failed, "certificate", "authority", "session.redis.ca_file",
		},
		"too old": {
			at(describing(t, "redis_version:5.0.14\r\n", nil)), setting.Failed, "5.0.14", "6.2", urls,
		},
		"drops sessions": {
			at(describing(t, good, map[string]string{"maxmemory-policy": "volatile-ttl"})),
			setting.Warning, "volatile-ttl", "noeviction", redisConfig,
		},
		"drops sessions, no CONFIG": {
			at(describing(t, strings.Replace(good, "noeviction", "allkeys-lru", 1), nil)),
			setting.Warning, "allkeys-lru", "noeviction", redisConfig,
		},
		"not persistent": {
			at(describing(t, strings.Replace(good, "aof_enabled:1", "aof_enabled:0", 1), nil)),
			setting.Warning, "appendonly", "appendonly yes", redisConfig,
		},
		"replica": {
			at(describing(t, strings.Replace(good, "master", "slave", 1), nil)),
			setting.Warning, "replica", "master", redisConfig,
		},
		"no cluster": {
			redisclient.Config{Mode: "cluster", URLs: []string{"redis://127.0.0.1:1"}},
			setting.Failed, "refused", "start Redis", urls,
		},
	} {
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
