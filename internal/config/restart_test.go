package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/redisclient"
)

// A rotated password needs no restart, because each new connection uses the current one.
func TestRestartIsNotNeededForRotatedRedisPasswords(t *testing.T) {
	t.Parallel()
	running := redisclient.Config{
		Mode: "sentinel", URLs: []string{"redis://127.0.0.1:26379"}, MasterName: "site",
		Username: "hubgate", Password: "old", SentinelPassword: "old",
	}
	for name, c := range map[string]struct {
		change       func(*redisclient.Config)
		needsRestart bool
	}{
		"username":                  {func(r *redisclient.Config) { r.Username = "other" }, false},
		"password":                  {func(r *redisclient.Config) { r.Password = "new" }, false},
		"sentinel password":         {func(r *redisclient.Config) { r.SentinelPassword = "new" }, false},
		"removed sentinel password": {func(r *redisclient.Config) { r.SentinelPassword = "" }, true},
		"master name":               {func(r *redisclient.Config) { r.MasterName = "other" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was, is := &Config{}, &Config{}
			was.Session.Redis, is.Session.Redis = running, running
			c.change(&is.Session.Redis)
			wanted := is.Session.Redis.SentinelPassword
			keys := Pin(was, is)
			if slices.Contains(keys, "session.redis") != c.needsRestart {
				t.Errorf("keys that need a restart: %q", keys)
			}
			if got := is.Session.Redis.SentinelPassword; !c.needsRestart && got != wanted {
				t.Errorf("the sentinel password is %q, want %q", got.Reveal(), wanted.Reveal())
			}
		})
	}
}

// The auth prefix needs a restart, so a health path that is allowed only below the new one would hide logins.
func TestRestartIsNeededForHealthPathBelowRunningPrefix(t *testing.T) {
	t.Parallel()
	for path, needsRestart := range map[string]bool{
		"/oauth2": true, "/oauth2/callback": true, "/oauth2x": false, "/status": false, "none": false,
	} {
		was, is := Default(), Default()
		was.Server.HealthPath = "/healthz"
		is.Server.HealthPath, is.Auth.Prefix = path, "/login"
		keys := Pin(was, is)
		if slices.Contains(keys, HealthPathKey) != needsRestart || is.Auth.Prefix != "/oauth2" {
			t.Errorf("%s: keys that need a restart: %q", path, keys)
		}
		if got := is.Server.HealthPath; (got == "/healthz") != needsRestart {
			t.Errorf("%s: the health path is %s", path, got)
		}
	}
}

// NeedsRestart is what editors and the example say about a key; Pin is what happens.
func TestNeedsRestartAgreesWithPin(t *testing.T) {
	t.Parallel()
	var walk func(key string, index []int, of reflect.Type)
	walk = func(key string, index []int, of reflect.Type) {
		if of.Kind() == reflect.Struct {
			for name, i := range fieldsOf(of) {
				walk(strings.TrimPrefix(key+"."+name, "."), append(slices.Clone(index), i...), of.FieldByIndex(i).Type)
			}
			return
		}
		was, is := Default(), Default()
		was.Session.Redis.SentinelPassword, is.Session.Redis.SentinelPassword = "old", "old"
		alter(t, reflect.ValueOf(is).Elem().FieldByIndex(index))
		if pinned := Pin(was, is); (len(pinned) > 0) != NeedsRestart(key) {
			t.Errorf("%s needs a restart: %v; Pin: %q", key, NeedsRestart(key), pinned)
		}
	}
	walk("", nil, reflect.TypeFor[Config]())
}

// alter gives a field another value.
func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() / 2)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), v.Len()+1, v.Len()+1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.Zero(v.Type().Elem()))
	default:
		t.Errorf("cannot alter a %s", v.Kind())
	}
}
