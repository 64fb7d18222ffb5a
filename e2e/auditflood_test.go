package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Nobody reads the log, and a visitor makes logins fail as fast as he can: the audit log is complete all the same.
func TestAuditLogSurvivesVisitorsWhoseLoginsFail(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"an invented state":    "/oauth2/callback?code=y&state=" + strings.Repeat("A", 43),
		"no state":             "/oauth2/callback",
		"an error":             "/oauth2/callback?error=access_denied&state=x",
		"the provider is down": "/oauth2/start?rd=/members/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, w := pipe(t)
			o := startObserved(t, w, "json", "")
			o.flood(path, 12_000)
			if _, body := o.ask("/readyz"); strings.Contains(body, `"audit_log"`) {
				t.Errorf("the audit log is incomplete: %s", body)
			}
			if code := o.terminate(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		})
	}
}

// flood sends n navigations without a cookie; each must fail with a page.
func (o observed) flood(path string, n int) {
	o.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range n / 8 {
				req, _ := http.NewRequest("GET", "http://localhost:"+strconv.Itoa(o.port)+path, nil)
				req.Header.Set("Accept", "text/html")
				res, err := client.Do(req)
				if err != nil {
					o.t.Error(err)
					return
				}
				if _, err := readAll(res); err != nil || res.StatusCode < http.StatusBadRequest {
					o.t.Errorf("%s: %d, %v", path, res.StatusCode, err)
					return
				}
			}
		})
	}
	all.Wait()
}
