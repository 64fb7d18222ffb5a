package e2e

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Nobody announces that a record vanished (an eviction, a flush, a restored backup): whoever has a stream open asks now and then.
func TestAnOpenStreamEndsWhenItsSessionVanishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/live") {
			return
		}
		if kind := r.URL.Query().Get("type"); kind != "" {
			out.Header().Set("Content-Type", kind)
		}
		io.WriteString(out, "data: hello\n\n")
		http.NewResponseController(out).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(live.Close)
	w.rewrite(func(text string) string { return strings.Replace(text, w.origin.URL, live.URL, 1) })
	w.serve()
	for _, kind := range []string{"text/event-stream", "application/x-ndjson", "application/zip", ""} {
		v := newVisitor(t)
		w.login(v, "/members/")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.site()+"/members/live?type="+kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := v.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		stream := bufio.NewReader(res.Body)
		if line, err := stream.ReadString('\n'); line != "data: hello\n" || err != nil {
			t.Fatalf("%s: %d %q, %v", kind, res.StatusCode, line, err)
		}
		for _, key := range strings.Fields(redisCLI(t, w.redisPort, "keys", "hubgate:s*")) {
			redisCLI(t, w.redisPort, "del", key)
		}
		if rest, err := io.ReadAll(stream); err == nil {
			t.Errorf("%s ended as if all had been said: %q", kind, rest)
		}
	}
}
