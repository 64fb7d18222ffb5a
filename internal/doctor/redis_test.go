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

// saysOfItself is a Redis that knows nothing but PING, INFO and CONFIG GET.
func saysOfItself(t *testing.T, info string, config map[string]string) string {
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
					fmt.Fprint(conn, say(words, info, config))
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

func say(words []string, info string, config map[string]string) string {
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

func TestWhatIsWrongWithRedisIsToldApart(t *testing.T) {
	t.Parallel()
	const good = "redis_version:7.2.4\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:master\r\n"
	locked, plain := miniredis.RunT(t), miniredis.RunT(t)
	locked.RequireAuth("right")
	sealed, err := miniredis.RunTLS(&tls.Config{Certificates: []tls.Certificate{certificateFor(t, "redis.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sealed.Close)
	for name, c := range map[string]struct {
		cfg                       redisclient.Config
		status, says, cure, where string
	}{
		"well":             {redisclient.Config{URLs: []string{saysOfItself(t, good, map[string]string{"maxmemory-policy": "noeviction", "appendfsync": "everysec"})}}, setting.OK, "version 7.2.4", "", ""},
		"nobody there":     {redisclient.Config{URLs: []string{"redis://127.0.0.1:1/0"}}, setting.Failed, "refused", "start Redis", "session.redis.urls"},
		"no such host":     {redisclient.Config{URLs: []string{"redis://redis.invalid:6379/0"}}, setting.Failed, "", "", "session.redis.urls"},
		"no password":      {redisclient.Config{URLs: []string{"redis://" + locked.Addr()}}, setting.Failed, "NOAUTH", "wants a password", "session.redis.password"},
		"wrong password":   {redisclient.Config{URLs: []string{"redis://" + locked.Addr()}, Password: setting.Secret("wrong")}, setting.Failed, "WRONGPASS", "right username and password", "session.redis.password"},
		"TLS not offered":  {redisclient.Config{URLs: []string{"rediss://" + plain.Addr()}}, setting.Failed, "", "speaks no TLS", "session.redis.urls"},
		"TLS expected":     {redisclient.Config{URLs: []string{"redis://" + sealed.Addr()}}, setting.Failed, "", "rediss://", "session.redis.urls"},
		"unknown issuer":   {redisclient.Config{URLs: []string{"rediss://" + sealed.Addr()}}, setting.Failed, "certificate", "authority", "session.redis.ca_file"},
		"too old":          {redisclient.Config{URLs: []string{saysOfItself(t, "redis_version:5.0.14\r\n", nil)}}, setting.Failed, "5.0.14", "6.2", "session.redis.urls"},
		"drops sessions":   {redisclient.Config{URLs: []string{saysOfItself(t, good, map[string]string{"maxmemory-policy": "volatile-ttl"})}}, setting.Warning, "volatile-ttl", "noeviction", "Redis' configuration"},
		"drops, no CONFIG": {redisclient.Config{URLs: []string{saysOfItself(t, strings.Replace(good, "noeviction", "allkeys-lru", 1), nil)}}, setting.Warning, "allkeys-lru", "noeviction", "Redis' configuration"},
		"not on disk":      {redisclient.Config{URLs: []string{saysOfItself(t, strings.Replace(good, "aof_enabled:1", "aof_enabled:0", 1), nil)}}, setting.Warning, "appendonly", "appendonly yes", "Redis' configuration"},
		"a replica":        {redisclient.Config{URLs: []string{saysOfItself(t, strings.Replace(good, "master", "slave", 1), nil)}}, setting.Warning, "replica", "master", "Redis' configuration"},
		"no cluster":       {redisclient.Config{Mode: "cluster", URLs: []string{"redis://127.0.0.1:1"}}, setting.Failed, "refused", "start Redis", "session.redis.urls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := patient(nil, nil)
			if c.cfg.Mode == "" {
				c.cfg.Mode = "single"
			}
			d.cfg.Session.Redis = c.cfg
			all := d.askRedis(t.Context())
			for _, f := range all {
				if f.Status == c.status && strings.Contains(f.Detail, c.says) && strings.Contains(f.Cure, c.cure) && strings.Contains(f.Where, c.where) {
					return
				}
			}
			t.Errorf("%+v", all)
		})
	}
}
