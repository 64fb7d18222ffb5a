package certs

import (
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestOldCertificatesAreRead(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) (addr string){
		"memory":       func(t *testing.T) string { return miniredis.RunT(t).Addr() },
		"redis-server": func(t *testing.T) string { return realredis.Start(t).Addr },
	} {
		t.Run(name, func(t *testing.T) {
			rdb := redis.NewClient(&redis.Options{Addr: start(t)})
			defer rdb.Close()
			var old realredis.Snapshot
			realredis.ReadFile(t, "testdata/records-53370d0.json", &old)
			old.Restore(t, rdb)
			ring, err := seal.New(append([]string{seal.NewKey()}, old.Ring...)...)
			if err != nil {
				t.Fatal(err)
			}
			s := newStore(rdb, "hubgate:", ring)
			names, err := s.List(t.Context(), "", true)
			slices.Sort(names)
			if err != nil || len(names) != 5 {
				t.Fatalf("%q %v", names, err)
			}
			for _, name := range names {
				value, err := s.Load(t.Context(), name)
				info, failure := s.Stat(t.Context(), name)
				if err != nil || failure != nil || string(value) != "content of "+name || info.Size != int64(len(value)) {
					t.Errorf("%s: %q %+v %v %v", name, value, info, err, failure)
				}
				if info.Modified.Before(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)) {
					t.Errorf("%s is of %v", name, info.Modified)
				}
			}
		})
	}
}
