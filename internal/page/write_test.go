package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
)

func request(t *testing.T, method string, header ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://www.example.com/members", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	f := &inbound.Facts{ID: "REQUESTIDREQUESTIDREQUESTI", Site: &inbound.Site{Scheme: "https", Host: "www.example.com"}}
	return r.WithContext(inbound.With(r.Context(), f))
}

func newPages(t *testing.T, cfg Config) *Pages {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t *testing.T, p *Pages, r *http.Request, pg Page) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	p.Write(w, r, pg)
	return w.Result()
}

func TestWriteSendsPagesToBrowsersAndProblemsToPrograms(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for name, test := range map[string]struct {
		header []string
		want   string
	}{
		"a browser": {[]string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
			"text/html; charset=utf-8"},
		"a script asks for JSON": {[]string{"Accept", "application/json"}, "application/problem+json"},
		"a script asks for problems": {[]string{"Accept", "application/problem+json, text/html;q=0.5"},
			"application/problem+json"},
		"HTML refused": {[]string{"Accept", "text/html;q=0, application/json"}, "application/problem+json"},
		"curl":         {[]string{"Accept", "*/*", "User-Agent", "curl/8"}, "application/problem+json"},
		"a browser's fetch": {[]string{"Accept", "*/*", "User-Agent", "Mozilla/5.0", "Sec-Fetch-Mode", "cors"},
			"application/problem+json"},
		"a browser without a preference": {[]string{"Accept", "*/*", "User-Agent", "Mozilla/5.0", "Sec-Fetch-Mode",
			"navigate"}, "text/html; charset=utf-8"},
		"an old browser": {[]string{"User-Agent", "Mozilla/5.0"}, "text/html; charset=utf-8"},
		"an image": {[]string{"Accept", "image/png,image/*;q=0.8", "User-Agent", "Mozilla/5.0"},
			"application/problem+json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := write(t, p, request(t, "GET", test.header...), Page{Name: Forbidden})
			if got.Header.Get("Content-Type") != test.want || got.StatusCode != 403 {
				t.Errorf("got %d %q, want 403 %q", got.StatusCode, got.Header.Get("Content-Type"), test.want)
			}
		})
	}
}

func TestTwinIsProblem(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	got := write(t, p, request(t, "GET", "Accept", "application/json"),
		Page{Name: LoginRequired, Cause: "no_session", LoginURL: "https://www.example.com/oauth2/start?rd=%2Fmembers"})
	var members map[string]any
	if err := json.NewDecoder(got.Body).Decode(&members); err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]any{"type": "about:blank", "title": "Unauthorized", "status": 401.0,
		"request_id": "REQUESTIDREQUESTIDREQUESTI", "cause": "no_session",
		"login_url": "https://www.example.com/oauth2/start?rd=%2Fmembers"} {
		if members[member] != want {
			t.Errorf("%s = %v, want %v", member, members[member], want)
		}
	}
	if detail, _ := members["detail"].(string); !strings.HasPrefix(detail, "Please log in. ") {
		t.Errorf("detail = %q", detail)
	}
}
