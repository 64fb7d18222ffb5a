package dependency

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func client(t *testing.T, h http.HandlerFunc, maxBody int64) (*http.Client, string, *Metrics) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	m := NewMetrics(prometheus.NewRegistry())
	return NewClient(ClientConfig{Name: IDP, Timeout: 10 * time.Second, MaxBody: maxBody, Metrics: m}), srv.URL, m
}

func get(t *testing.T, c *http.Client, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(WithOp(t.Context(), OpToken), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	c, url, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Errorf("the redirect was followed to %s", r.URL.Path)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}, 0)
	if res := get(t, c, url); res.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestTooLargeResponseIsAnError(t *testing.T) {
	t.Parallel()
	c, url, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		z.Write(make([]byte, 1<<20))
	}, 1000)
	body, err := io.ReadAll(get(t, c, url).Body)
	if !errors.Is(err, ErrTooLarge) || len(body) != 1000 {
		t.Errorf("read %d bytes, error %v", len(body), err)
	}
}

func TestResponseAtTheLimitIsRead(t *testing.T) {
	t.Parallel()
	c, url, _ := client(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1000)) }, 1000)
	if body, err := io.ReadAll(get(t, c, url).Body); err != nil || len(body) != 1000 {
		t.Errorf("read %d bytes, error %v", len(body), err)
	}
}

func TestCallsAreCountedAndDecideNothing(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	c, url, m := client(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, 0)
	for _, status = range []int{200, 500, 502, 503, 504, 429, 404} {
		get(t, c, url)
		if h := m.Health(IDP); !h.OK || h.Known || testutil.ToFloat64(m.up.WithLabelValues("idp")) != 1 {
			t.Errorf("after %d: %+v", status, h)
		}
	}
	for result, want := range map[Result]float64{OK: 1, ServerError: 4, Throttled: 1, ClientError: 1, Timeout: 0} {
		if got := testutil.ToFloat64(m.requests.WithLabelValues("idp", "token", string(result))); got != want {
			t.Errorf("%s counted %v times, want %v", result, got, want)
		}
	}
}

func TestContradictingCallStartsAProbe(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		status int
		up     bool
		want   int
	}{
		"page that fails":        {t.Context(), 500, true, 1},
		"page that hangs":        {late, 200, true, 1},
		"visitor who left":       {canceled, 200, true, 0},
		"page that is not there": {t.Context(), 404, true, 0},
		"page that is limited":   {t.Context(), 429, true, 0},
		"page":                   {t.Context(), 200, true, 0},
		"page while down":        {t.Context(), 200, false, 1},
		"failure while down":     {t.Context(), 500, false, 0},
		"left while down":        {canceled, 200, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			calls, url, m := client(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) }, 0)
			m.SetUp(IDP, c.up, "for the test")
			probes := 0
			m.watch(IDP, func() { probes++ })
			req, _ := http.NewRequestWithContext(c.ctx, http.MethodGet, url, nil)
			if res, err := calls.Do(req); err == nil {
				res.Body.Close()
			}
			if h := m.Health(IDP); probes != c.want || h.OK != c.up {
				t.Errorf("%d probes, %+v", probes, h)
			}
		})
	}
}
