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

func TestARedirectIsAnAnswerAndIsNotFollowed(t *testing.T) {
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

func TestAnAnswerLongerThanTheLimitIsAnErrorAlsoWhenItWasCompressed(t *testing.T) {
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

func TestAnAnswerThatEndsAtTheLimitIsRead(t *testing.T) {
	t.Parallel()
	c, url, _ := client(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1000)) }, 1000)
	if body, err := io.ReadAll(get(t, c, url).Body); err != nil || len(body) != 1000 {
		t.Errorf("read %d bytes, error %v", len(body), err)
	}
}

func TestEveryCallIsCountedAndHealthFollowsTheLastOne(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	c, url, m := client(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, 0)
	get(t, c, url)
	if h := m.Health(IDP); !h.OK || !h.Known {
		t.Errorf("after 200: %+v", h)
	}
	status = http.StatusBadGateway
	get(t, c, url)
	if h := m.Health(IDP); h.OK || h.Detail != "last call (token): server_error" {
		t.Errorf("after 502: %+v", h)
	}
	for result, want := range map[Result]float64{OK: 1, ServerError: 1, Timeout: 0} {
		if got := testutil.ToFloat64(m.requests.WithLabelValues("idp", "token", string(result))); got != want {
			t.Errorf("%s counted %v times, want %v", result, got, want)
		}
	}
	if got := testutil.ToFloat64(m.up.WithLabelValues("idp")); got != 0 {
		t.Errorf("up is %v", got)
	}
}

func TestATimeoutIsAFaultOfTheDependencyAndACancellationIsNot(t *testing.T) {
	t.Parallel()
	c, url, m := client(t, func(http.ResponseWriter, *http.Request) {}, 0)
	do := func(ctx context.Context) {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if res, err := c.Do(req); err == nil {
			res.Body.Close()
			t.Fatal("no error")
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	do(canceled)
	if h := m.Health(IDP); h.Known {
		t.Errorf("after a cancellation: %+v", h)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	do(late)
	if h := m.Health(IDP); h.OK {
		t.Errorf("after a timeout: %+v", h)
	}
}
