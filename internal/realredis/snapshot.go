package realredis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Snapshot is the content of a Redis server at a time, as an earlier version of hubgate left it, and the ring that it
// was sealed with. Values that are not text are written as "base64:" and their bytes.
type Snapshot struct {
	Ring  []string  `json:"keys"`
	At    time.Time `json:"at"`
	Redis []struct {
		Key     string             `json:"key"`
		Type    string             `json:"type"` // string | hash | zset | set | stream
		TTL     int64              `json:"ttl_ms"`
		Text    string             `json:"text"`
		Fields  map[string]string  `json:"fields"`
		Scores  map[string]float64 `json:"scores"`
		Members []string           `json:"members"`
		Entries []struct {
			ID     string            `json:"id"`
			Fields map[string]string `json:"fields"`
		} `json:"entries"`
	} `json:"redis"`
}

// ReadFile decodes a JSON file of test data, such as one that contains a Snapshot.
func ReadFile(t testing.TB, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Restore writes the snapshot to a Redis server. Keys that had a TTL get it again from now on.
func (s Snapshot) Restore(t testing.TB, client redis.UniversalClient) {
	t.Helper()
	pipe := client.Pipeline()
	ctx := context.Background()
	for _, v := range s.Redis {
		switch v.Type {
		case "string":
			pipe.Set(ctx, v.Key, unquote(t, v.Text), 0)
		case "hash":
			for name, text := range v.Fields {
				pipe.HSet(ctx, v.Key, unquote(t, name), unquote(t, text))
			}
		case "zset":
			for member, score := range v.Scores {
				pipe.ZAdd(ctx, v.Key, redis.Z{Score: score, Member: unquote(t, member)})
			}
		case "set":
			for _, member := range v.Members {
				pipe.SAdd(ctx, v.Key, unquote(t, member))
			}
		case "stream":
			for _, e := range v.Entries {
				pipe.XAdd(ctx, &redis.XAddArgs{Stream: v.Key, ID: e.ID, Values: unquoteAll(t, e.Fields)})
			}
		default:
			t.Fatalf("%s: a key of type %q", v.Key, v.Type)
		}
		if v.TTL > 0 {
			pipe.PExpire(ctx, v.Key, time.Duration(v.TTL)*time.Millisecond)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		t.Fatal(err)
	}
}

// unquote returns the bytes of a value.
func unquote(t testing.TB, text string) string {
	t.Helper()
	encoded, isBinary := strings.CutPrefix(text, "base64:")
	if !isBinary {
		return text
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// unquoteAll returns the bytes of all values.
func unquoteAll(t testing.TB, fields map[string]string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for name, text := range fields {
		all[name] = unquote(t, text)
	}
	return all
}
