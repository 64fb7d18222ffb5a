package middleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// failing is a gateway in which every login fails, with a sink that can be blocked.
type failing struct {
	t        *testing.T
	handler  http.Handler
	writer   *logging.Writer
	failures *LoginFailures
	audit    *slog.Logger
	out      bytes.Buffer
	blocked  chan struct{}
}

// newFailing must be called in a synctest bubble.
func newFailing(t *testing.T, format string, granted bool) *failing {
	t.Helper()
	f := &failing{t: t}
	f.writer = logging.NewWriter(writerFunc(func(p []byte) (int, error) {
		if f.blocked != nil {
			<-f.blocked
		}
		return f.out.Write(p)
	}))
	var level slog.LevelVar
	log := logging.NewLogger(f.writer, logging.Config{Level: "error", Format: format}, &level, &logging.EmailPolicy{})
	f.audit, f.failures = logging.AuditLog(log), NewLoginFailures(logging.LoginFailureLog(log), time.Now)
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inbound.Of(r).Outcome = inbound.Outcome{
			Decision: "error", Login: true, Granted: granted, Reason: r.URL.Path[1:], Err: errors.New("auth: the cause"),
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	f.handler = Observed(RequestLogs{Audit: f.audit, Failures: f.failures}, NewMetrics(prometheus.NewRegistry()), next)
	return f
}

func (f *failing) fail(client, reason string) {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/"+reason, nil)
	facts := &inbound.Facts{}
	if client != "" {
		facts.Client = netip.MustParseAddr(client)
	}
	f.handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(inbound.With(r.Context(), facts)))
}

// lines closes the log and returns its lines.
func (f *failing) lines() (all []map[string]any) {
	f.t.Helper()
	f.writer.Close(time.Minute)
	for text := range strings.Lines(f.out.String()) {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

func TestLoginFailureIsLoggedOncePerMinuteClientAndReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		again, reason string // the second failure's client, after one of 192.0.2.1 or 2001:db8:0:1::1 for the reason state
		pause         time.Duration
		lines         int
	}{
		"the same":                  {"192.0.2.1", "state", 0, 1},
		"the same in another form":  {"::ffff:192.0.2.1", "state", 0, 1},
		"another reason":            {"192.0.2.1", "provider_error", 0, 2},
		"another client":            {"192.0.2.2", "state", 0, 2},
		"a minute later":            {"192.0.2.1", "state", time.Minute, 2},
		"just before":               {"192.0.2.1", "state", time.Minute - 1, 1},
		"the same /64":              {"2001:db8:0:1:ffff::9", "state", 0, 1},
		"the next /64":              {"2001:db8:0:2::1", "state", 0, 2},
		"an address that is absent": {"", "state", 0, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFailing(t, "json", false)
			first := "192.0.2.1"
			if strings.HasPrefix(c.again, "2001:") {
				first = "2001:db8:0:1::1"
			}
			if strings.HasPrefix(c.again, "::ffff:") {
				c.again = netip.MustParseAddr(c.again).Unmap().String()
			}
			f.fail(first, "state")
			time.Sleep(c.pause)
			f.fail(c.again, c.reason)
			got := f.lines()
			if len(got) != c.lines {
				t.Errorf("%s: %d lines: %v", name, len(got), got)
			}
			for _, line := range got {
				if line["component"] != "audit" || line["action"] != "login" || line["outcome"] != "failure" ||
					line["error"] != "auth: the cause" || line["status"] != 400.0 || line["suppressed"] != nil {
					t.Errorf("%s: %v", name, line)
				}
			}
		})
	}
}

func TestLoginFailuresSuppressedAreCountedInNextLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFailing(t, "json", false)
		for range 100 {
			f.fail("192.0.2.1", "state")
			f.fail("192.0.2.2", "state")
		}
		time.Sleep(time.Minute)
		f.fail("192.0.2.1", "state")
		got := f.lines()
		if len(got) != 3 || got[2]["suppressed"] != 99.0 || got[2]["suppressed_others"] != 99.0 {
			t.Errorf("%v", got)
		}
	})
}

func TestLoginFailuresOfManyClientsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFailing(t, "json", false)
		const each, seconds = 1000, 180
		for s := range seconds {
			for i := range each {
				f.fail(fmt.Sprintf("2001:db8:%x:%x::1", s, i), "state")
			}
			time.Sleep(time.Second)
		}
		if n := len(f.failures.last); n > 2*60*failureRate+failureBursts {
			t.Errorf("%d clients are remembered", n)
		}
		time.Sleep(time.Minute)
		f.fail("192.0.2.1", "state")
		got, all := f.lines(), 0.0
		for _, line := range got {
			own, _ := line["suppressed"].(float64)
			others, _ := line["suppressed_others"].(float64)
			all += 1 + own + others
		}
		if len(got) > seconds*failureRate+failureBursts+1 || all != each*seconds+1 {
			t.Errorf("%d lines, which speak of %.0f failures", len(got), all)
		}
	})
}

// While the log is not read, failures that a visitor causes are dropped before the lines about people, without an
// alarm.
func TestLoginFailuresDoNotDisplaceAuditLines(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFailing(t, format, false)
			f.blocked = make(chan struct{})
			for s := range 1000 {
				for i := range 30 {
					f.fail(fmt.Sprintf("2001:db8:%x:%x::1", s, i), "state")
				}
				time.Sleep(time.Second)
			}
			if ok, detail, _ := f.writer.Health(); !ok {
				t.Errorf("%s: %s", format, detail)
			}
			for i := range 1000 {
				f.audit.Info("deny", "number", i)
			}
			close(f.blocked)
			f.writer.Close(time.Minute)
			if n := strings.Count(f.out.String(), "number"); n != 1000 {
				t.Errorf("%s: %d audit lines are left", format, n)
			}
			if ok, detail, _ := f.writer.Health(); !ok {
				t.Errorf("%s: %s", format, detail)
			}
		})
	}
}

// After the provider has granted a token, the failure concerns a real person: each is logged.
func TestLoginFailureAfterTokenIsAlwaysAudited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFailing(t, "json", true)
		for range 100 {
			f.fail("192.0.2.1", "token")
		}
		if got := f.lines(); len(got) != 100 {
			t.Errorf("%d lines", len(got))
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
