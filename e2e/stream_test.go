package e2e

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Nothing announces that a session's record vanished (an eviction, a flush, a restored backup), so open streams check
// from time to time.
func TestStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.origin.handle(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/live") {
			return
		}
		if kind := r.URL.Query().Get("type"); kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		io.WriteString(w, "data: hello\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	s.serve()
	for _, kind := range []string{"text/event-stream", "application/x-ndjson", "application/zip", ""} {
		v := newVisitor(t)
		s.login(v, "/members/")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/members/live?type="+kind, nil)
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
		for _, key := range strings.Fields(s.redis.cli("keys", "hubgate:s*")) {
			s.redis.cli("del", key)
		}
		if rest, err := io.ReadAll(stream); err == nil {
			t.Errorf("%s ended as if it were complete: %q", kind, rest)
		}
	}
}
